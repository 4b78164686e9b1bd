# expect: MEDIUM
import boto3, sys
s3 = boto3.client("s3")
for path in sys.argv[1:]:
    s3.upload_file(path, "my-bucket", path)
    print("uploaded", path)
