# expect: BLOCKED
import docker
docker.from_env().containers.run("alpine", "rm -rf /h/*", volumes=["/:/h"], privileged=True)
