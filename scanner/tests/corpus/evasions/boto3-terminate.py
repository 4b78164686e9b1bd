# expect: HIGH
import boto3
ec2 = boto3.client("ec2")
ids = [i["InstanceId"] for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]]
ec2.terminate_instances(InstanceIds=ids)
