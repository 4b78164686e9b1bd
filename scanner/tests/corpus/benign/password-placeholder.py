# expect: LOW
password = "<your-password>"
api_key = "YOUR_API_KEY"
