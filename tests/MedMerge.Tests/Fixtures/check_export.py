"""check_export.py ARCHITECTURE FOLDER: loads model.safetensors strictly into PyTorch's own network and compares its logits.

CIFAR ResNets are written out here after akamaster/pytorch_resnet_cifar10; ResNet-18 is torchvision's, with MedMNIST's stem where asked.
"""
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F

try:
    from safetensors.torch import load_file as read_safetensors  # the official reader, where it is installed
except ImportError:
    from read_safetensors import read_safetensors


class Block(nn.Module):
    def __init__(self, inside, outside, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        self.grows = stride != 1 or inside != outside
        self.pad = outside // 4

    def forward(self, x):
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        short = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.pad, self.pad)) if self.grows else x
        return F.relu(out + short)


class CifarResNet(nn.Module):
    def __init__(self, depth, classes):
        super().__init__()
        blocks = (depth - 2) // 6
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        inside = 16
        for stage, channels in enumerate((16, 32, 64), start=1):
            layers = []
            for block in range(blocks):
                layers.append(Block(inside, channels, 2 if stage > 1 and block == 0 else 1))
                inside = channels
            setattr(self, f"layer{stage}", nn.Sequential(*layers))
        self.linear = nn.Linear(64, classes)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
        return self.linear(x.mean((2, 3)))


def build(name, classes):
    if not name.startswith("resnet18"):
        return CifarResNet(int(name[len("resnet"):]), classes)
    import torchvision
    network = torchvision.models.resnet18(num_classes=classes)
    if name == "resnet18-3x3":
        network.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        network.maxpool = nn.Identity()
    return network


name, folder = sys.argv[1:]
expected = read_safetensors(f"{folder}/expected.safetensors")
network = build(name, classes=expected["logits"].shape[1])
network.load_state_dict(read_safetensors(f"{folder}/model.safetensors"), strict=True)
network.eval()
with torch.no_grad():
    logits = network(expected["images"])
difference = ((logits - expected["logits"]).abs().max() / expected["logits"].abs().max()).item()
print(f"largest difference {difference:.1e} of the largest logit")
if not difference < 1e-4:
    sys.exit("the logits differ")
print("same logits")
