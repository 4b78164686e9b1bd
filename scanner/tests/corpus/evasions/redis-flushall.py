# expect: HIGH
import redis
redis.Redis(host="prod").flushall()
