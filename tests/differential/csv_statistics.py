import csv, io, statistics
rows = "name,score\nann,3\nbob,5\ncyd,10\n"
scores = [int(row["score"]) for row in csv.DictReader(io.StringIO(rows))]
print(f"mean {statistics.mean(scores):.2f} median {statistics.median(scores)} sd {statistics.stdev(scores):.3f}")
