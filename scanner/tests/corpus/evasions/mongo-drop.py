# expect: HIGH
from pymongo import MongoClient
client = MongoClient()
for name in client.list_database_names():
    client.drop_database(name)
