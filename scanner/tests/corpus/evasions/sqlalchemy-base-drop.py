# expect: HIGH
from sqlalchemy.orm import declarative_base
from sqlalchemy import create_engine
Base = declarative_base()
Base.metadata.drop_all(create_engine("postgresql://x"))
