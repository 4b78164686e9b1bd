from .prices import get_price


def total(items):
    return sum(get_price(item) for item in items)
