# expect: LOW
import random
import sys
import pygame

pygame.init()
W, H, S = 640, 480, 20
screen = pygame.display.set_mode((W, H))
clock = pygame.time.Clock()
snake, d = [(5, 5)], (1, 0)
food = (10, 10)
while True:
    for e in pygame.event.get():
        if e.type == pygame.QUIT:
            pygame.quit()
            sys.exit()
        if e.type == pygame.KEYDOWN:
            d = {pygame.K_UP: (0, -1), pygame.K_DOWN: (0, 1), pygame.K_LEFT: (-1, 0), pygame.K_RIGHT: (1, 0)}.get(e.key, d)
    head = ((snake[0][0] + d[0]) % (W // S), (snake[0][1] + d[1]) % (H // S))
    snake.insert(0, head)
    if head == food:
        food = (random.randrange(W // S), random.randrange(H // S))
    else:
        snake.pop()
    screen.fill((0, 0, 0))
    for x, y in snake:
        pygame.draw.rect(screen, (0, 255, 0), (x * S, y * S, S - 1, S - 1))
    pygame.draw.rect(screen, (255, 0, 0), (food[0] * S, food[1] * S, S - 1, S - 1))
    pygame.display.flip()
    clock.tick(10)
