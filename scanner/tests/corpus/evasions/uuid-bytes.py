# expect: HIGH
import uuid, os
exec(uuid.UUID("696d706f7274206f730a000000000000").bytes)
