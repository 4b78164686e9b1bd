# expect: LOW
import os
if "REGION" not in os.environ:
    os.environ["REGION"] = "eu-north"
print("region", os.environ["REGION"])
