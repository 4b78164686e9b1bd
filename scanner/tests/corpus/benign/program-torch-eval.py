# expect: LOW
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))

    def forward(self, x):
        return self.layers(x.flatten(1))

net = Net()
net.eval()
with torch.no_grad():
    print(net(torch.randn(4, 1, 28, 28)).argmax(1))
