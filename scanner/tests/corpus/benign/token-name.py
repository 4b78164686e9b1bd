# expect: LOW
token_type = "access_token_v2"
secret_name = "projects/1/secrets/db"
