using MedMerge.Tensors;

namespace MedMerge.Tests.Tensors;

public class DeviceNameTests
{
    private const string H100 = "NVIDIA H100 80GB HBM3";

    [Theory]
    [InlineData("cpu", "cpu", null)]
    [InlineData("cuda:3", "cuda", 3)]
    [InlineData("cuda:0 " + H100, "cuda " + H100, 0)]
    [InlineData("cuda:0 A/B", "cuda A-B", 0)] // a kind is part of grains' keys, whose parts a '/' divides
    public void A_kind_is_what_results_depend_on(string device, string kind, int? index)
    {
        Assert.True(DeviceName.IsValid(device));
        Assert.Equal((kind, index), (DeviceName.Kind(device), DeviceName.CudaIndex(device)));
    }

    [Theory]
    [InlineData("gpu")]
    [InlineData("cuda")]
    [InlineData("cuda:")]
    [InlineData("cuda:x")]
    [InlineData("cuda: 1")]
    [InlineData("cuda:-1")]
    public void Other_names_are_no_devices(string name) => Assert.False(DeviceName.IsValid(name));

    [Fact]
    public void A_model_is_added_once_and_must_be_the_machines()
    {
        var whole = DeviceName.With("cuda:1", H100);
        Assert.Equal("cuda:1 " + H100, whole);
        Assert.Equal(whole, DeviceName.With(whole, H100));
        var other = Assert.Throws<InputException>(() => DeviceName.With(whole, "NVIDIA A10"));
        Assert.Contains("this machine's is a NVIDIA A10", other.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_clusters_gpu_is_named_by_its_model_and_refused_where_it_is_not_one()
    {
        Assert.Equal("cpu", DeviceName.InCluster("cpu", []));
        Assert.Equal("cuda:0 " + H100, DeviceName.InCluster("cuda:0", ["cpu", "cuda " + H100, "cuda " + H100]));
        Assert.Equal("cuda:0 " + H100, DeviceName.InCluster("cuda:0 " + H100, ["cpu"])); // waits for a node

        var none = Assert.Throws<InputException>(() => DeviceName.InCluster("cuda:0", ["cpu"]));
        Assert.Contains("'device: cuda:0 MODEL'", none.Message, StringComparison.Ordinal);
        var several = Assert.Throws<InputException>(() => DeviceName.InCluster("cuda:0", ["cuda " + H100, "cuda NVIDIA A10"]));
        Assert.Contains($"name one of NVIDIA A10, {H100}", several.Message, StringComparison.Ordinal);
    }
}
