# expect: LOW
import heapq

def dijkstra(graph, start):
    distance = {start: 0}
    heap = [(0, start)]
    while heap:
        d, node = heapq.heappop(heap)
        for other, weight in graph[node].items():
            new = d + weight
            if new < distance.get(other, float("inf")):
                distance[other] = new
                heapq.heappush(heap, (new, other))
    return distance

print(dijkstra({"a": {"b": 1}, "b": {}}, "a"))
