import decimal, fractions, math
decimal.getcontext().prec = 40
print(decimal.Decimal(2).sqrt(), fractions.Fraction(3, 9), math.comb(50, 20), 2**200)
