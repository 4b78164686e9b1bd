# expect: HIGH
from kubernetes import client, config
config.load_kube_config()
client.CoreV1Api().delete_namespace("production")
