# expect: LOW
import heapq
def dijkstra(g, s):
    dist, h = {s: 0}, [(0, s)]
    while h:
        d, u = heapq.heappop(h)
        for v, w in g[u]:
            if d + w < dist.get(v, 1e9):
                dist[v] = d + w
                heapq.heappush(h, (dist[v], v))
    return dist
print(dijkstra({0: [(1, 2)], 1: []}, 0))
