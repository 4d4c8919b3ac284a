using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Tests.Models;
using static TorchSharp.torch;

namespace MedMerge.Tests.Merging;

/// <summary>A file of kernel weights is taken as a whole or refused with the tensor and what is wrong with it.</summary>
public class LearnedKernelWeightsTests
{
    private static readonly Architecture ResNet20 = Architectures.Create("resnet20", 0.125);

    [Fact]
    public void What_is_written_is_read()
    {
        var file = File();
        var read = LearnedKernelWeights.Read(file, "a file");
        Assert.Equal(["a", "b"], read.Sources.Select(source => source.Name));
        Assert.Equal(file, read.Write());
    }

    [Theory]
    [InlineData("alpha.conv1", null, "it lacks 'alpha.conv1', expected F64 [2, 2]")]
    [InlineData("bn1.running_mean", null, "it lacks 'bn1.running_mean', expected F32 [2]")]
    [InlineData("linear.weight", null, "it lacks 'linear.weight', expected F32 [classes, 8]")]
    [InlineData("linear.bias", null, "it lacks 'linear.bias', expected F32 [3]")]
    [InlineData("alpha.conv1", "float", "its 'alpha.conv1' is F32 [2, 2], expected F64 [2, 2]")]
    [InlineData("bn1.running_var", "half", "its 'bn1.running_var' is F16 [2], expected F32 [2]")]
    [InlineData("alpha.layer2.0.conv1", "short", "its 'alpha.layer2.0.conv1' is F64 [1, 4], expected F64 [2, 4]")]
    [InlineData("bn1.running_var", "short", "its 'bn1.running_var' is F32 [1], expected F32 [2]")]
    [InlineData("linear.bias", "short", "its 'linear.bias' is F32 [2], expected F32 [3]")]
    [InlineData("linear.weight", "flat", "its 'linear.weight' is F32 [24], expected F32 [classes, 8]")]
    [InlineData("alpha.layer3.2.conv2", "nan", "NaN or infinite values in 'alpha.layer3.2.conv2'")]
    [InlineData("linear.bias", "nan", "NaN or infinite values in 'linear.bias'")]
    [InlineData("bn1.running_var", "negative", "negative variances in 'bn1.running_var'")]
    [InlineData("bn1.running_mean", "rename", "it lacks 'bn1.running_mean'")]
    [InlineData("alpha.layer4.0.conv1", "add", "it also has 'alpha.layer4.0.conv1'")]
    public void A_tensor_that_does_not_fit_is_named(string name, string? change, string message)
    {
        using var scope = NewDisposeScope();
        var (tensors, metadata) = Safetensors.Read(File(), "a file");
        using var _ = tensors;
        using var changed = new StateDict();
        foreach (var (key, value) in tensors)
        {
            if (key != name) changed.Add(key, value);
            else if (change == "rename") changed.Add(key + "s", value);
            else if (change is not null) changed.Add(key, Change(value, change));
        }
        if (change == "add") changed.Add(name, ones(2, 2));
        Refused(message, Safetensors.Write(changed, metadata));
    }

    [Theory]
    [InlineData("architecture", null, "its metadata lack 'architecture'")]
    [InlineData("architecture", "resnet21", "There is no architecture 'resnet21'")]
    [InlineData("architecture", "resnet32", "it lacks 'alpha.layer1.3.conv1', expected F64 [2, 2]")]
    [InlineData("width", null, "its metadata lack 'width'")]
    [InlineData("width", "wide", "its width is 'wide', which is no number")]
    [InlineData("width", "0.25", "its 'alpha.conv1' is F64 [2, 2], expected F64 [2, 4]")]
    [InlineData("width", "0.1", "it must give whole numbers")]
    [InlineData("target", null, "its metadata lack 'target'")]
    [InlineData("sources", null, "its metadata lack 'sources'")]
    [InlineData("sources", "null", "it names no sources")]
    [InlineData("sources", "[]", "it names no sources")]
    [InlineData("sources", "[null, null]", "one of its sources lacks its name or its hash")]
    [InlineData("sources", """[{"Name":"a"},{"Name":"b"}]""", "one of its sources lacks its name or its hash")]
    [InlineData("sources", "a, b", "its list of sources is not valid JSON")]
    [InlineData("sources", """[{"Name":"a","Sha256":"1"}]""", "its 'alpha.conv1' is F64 [2, 2], expected F64 [1, 2]")]
    public void Metadata_that_do_not_fit_are_named(string key, string? value, string message)
    {
        var (tensors, metadata) = Safetensors.Read(File(), "a file");
        using var _ = tensors;
        var changed = metadata.Where(pair => pair.Key != key).ToDictionary();
        if (value is not null) changed.Add(key, value);
        Refused(message, Safetensors.Write(tensors, changed));
    }

    [Theory]
    [InlineData("order.1.conv1", new[] { 1, 0 }, null)]
    [InlineData("order.1.conv1", new[] { 1, 1 }, "the order of the channels 'conv1' is no permutation of 2")]
    [InlineData("order.1.conv1", new[] { 0 }, "its 'order.1.conv1' is I32 [1], expected I32 [2]")]
    [InlineData("order.2.conv1", new[] { 1, 0 }, "it also has 'order.2.conv1'")]
    [InlineData("order.1.conv2", new[] { 1, 0 }, "it also has 'order.1.conv2'")]
    public void The_order_of_an_aligned_sources_channels_is_read_or_refused(string name, int[] order, string? message)
    {
        using var scope = NewDisposeScope();
        var (tensors, metadata) = Safetensors.Read(File(), "a file");
        using var _ = tensors;
        tensors.Add(name, tensor(order));
        var file = Safetensors.Write(tensors, metadata);
        if (message is not null)
        {
            Refused(message, file);
            return;
        }

        var read = LearnedKernelWeights.Read(file, "a file");

        Assert.Null(read.Sources[0].Order);
        Assert.Equal(order, read.Sources[1].Order!.Orders[0]);
        Assert.Equal(file, read.Write());
    }

    private static Tensor Change(Tensor tensor, string change)
    {
        var values = tensor.clone();
        if (change == "nan") values.view(-1)[0] = double.NaN;
        if (change == "negative") values.view(-1)[0] = -1e-3f;
        return change switch
        {
            "float" => values.to(ScalarType.Float32),
            "half" => values.to(ScalarType.Float16),
            "short" => values.narrow(0, 0, values.shape[0] - 1),
            "flat" => values.view(-1),
            _ => values,
        };
    }

    private static void Refused(string message, byte[] file)
    {
        var error = Assert.Throws<InputException>(() => LearnedKernelWeights.Read(file, "'k'"));
        Assert.StartsWith("'k' is not a whole file of kernel weights: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_learned_without_the_bound_to_shares_is_read_as_such()
    {
        var read = LearnedKernelWeights.Read(File(alpha => alpha.Values[0] = -0.5), "a file");
        Assert.Equal(-0.5, read.Alpha.Values[0]);
    }

    private static byte[] File(Action<KernelWeightMatrix>? change = null)
    {
        using var weights = RandomModels.Weights(ResNet20, seed: 1, classes: 3);
        using var target = new StateDict();
        foreach (var (name, tensor) in weights)
        {
            var isKept = name.Contains(".running_", StringComparison.Ordinal) || name.StartsWith("linear.", StringComparison.Ordinal);
            if (isKept) target.Add(name, tensor.clone());
        }
        var alpha = RandomModels.Softmax(new KernelWeightMatrix(ResNet20, sources: 2));
        change?.Invoke(alpha);
        var learned = new LearnedKernelWeights([new("a", "1"), new("b", "2")], "test", alpha, target.ToFloats());
        return learned.Write();
    }
}
