# expect: LOW
import torch
model = torch.nn.Linear(1, 1)
model.eval()
