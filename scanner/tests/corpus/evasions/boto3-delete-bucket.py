# expect: HIGH
import boto3
s3 = boto3.resource("s3")
bucket = s3.Bucket("prod-backups")
bucket.objects.all().delete()
bucket.delete()
