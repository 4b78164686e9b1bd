# expect: MEDIUM
from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
engine = create_engine("sqlite:///app.db")
class Base(DeclarativeBase): pass
class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
Base.metadata.create_all(engine)
class In(BaseModel):
    name: str
app = FastAPI()
def db():
    with Session(engine) as s:
        yield s
@app.post("/items")
def create(item: In, s: Session = Depends(db)):
    row = Item(name=item.name)
    s.add(row); s.commit()
    return {"id": row.id}
@app.get("/items/{id}")
def get(id: int, s: Session = Depends(db)):
    row = s.scalars(select(Item).where(Item.id == id)).first()
    if not row:
        raise HTTPException(404)
    return row
