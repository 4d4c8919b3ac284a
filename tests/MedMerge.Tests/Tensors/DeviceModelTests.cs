using MedMerge.Tensors;
using TorchSharp;

namespace MedMerge.Tests.Tensors;

/// <summary>Times are compared between equal devices only.</summary>
public sealed class DeviceModelTests
{
    [Fact]
    public void A_processors_model_is_read_where_the_system_says_it()
    {
        string[] lines = ["processor\t: 0", "model name\t: Some CPU @ 2: fast", "model name\t: b"];
        Assert.Equal("Some CPU @ 2: fast", DeviceModel.FindModel(lines));
        Assert.Null(DeviceModel.FindModel(["processor\t: 0", "CPU part\t: 0xd0c"]));
        Assert.NotEmpty(DeviceModel.Get(torch.CPU));
    }
}
