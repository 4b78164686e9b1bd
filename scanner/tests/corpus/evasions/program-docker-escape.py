# expect: BLOCKED
import docker

client = docker.from_env()
client.containers.run(
    "alpine", "chroot /host sh -c 'cat /etc/shadow'",
    volumes={"/": {"bind": "/host", "mode": "rw"}}, privileged=True, remove=True,
)
