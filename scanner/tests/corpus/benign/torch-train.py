# expect: LOW
import torch
from torch import nn, optim
model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))
opt = optim.Adam(model.parameters())
for epoch in range(100):
    model.train()
    x, y = torch.randn(64, 10), torch.randn(64, 1)
    loss = nn.functional.mse_loss(model(x), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
model.eval()
torch.save(model.state_dict(), "model.pt")
