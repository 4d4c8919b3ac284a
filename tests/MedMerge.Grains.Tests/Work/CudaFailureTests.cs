using MedMerge.Grains.Work;
using MedMerge.Testing;
using TorchSharp;

namespace MedMerge.Grains.Tests.Work;

/// <summary>The same classes for what a GPU really says.</summary>
public class CudaFailureTests
{
    [Fact]
    public void A_GPU_without_memory_is_not_broken()
    {
        if (TestDevice.IsCpu) Assert.Skip("MEDMERGE_TEST_DEVICE names no GPU.");
        var error = Record.Exception(() => torch.empty(1L << 42, device: TestDevice.Torch));
        Assert.NotNull(error);
        var failure = FailureClass.Of(error);
        Assert.Equal(FailureKind.Transient, failure.Kind);
        Assert.Contains("The device is out of memory.", failure.Reason, StringComparison.Ordinal);
        torch.empty(1, device: TestDevice.Torch).Dispose(); // it works on
    }
}
