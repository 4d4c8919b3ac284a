using MedMerge.Data;
using MedMerge.Models;
using MedMerge.Models.Onnx;
using MedMerge.Tensors;
using MedMerge.Tensors.Onnx;
using MedMerge.Tests.Merging;
using static TorchSharp.torch;

namespace MedMerge.Tests.Models.Onnx;

/// <summary>ONNX models that other programs wrote, and files that are none.</summary>
public class OnnxImportTests
{
    private const int Classes = 5;

    private static readonly Architecture ResNet = MedMerge.Models.Architectures.Create("resnet18", 0.0625);

    public static TheoryData<string, double> Architectures => NumericsTests.Architectures;

    [Theory]
    [MemberData(nameof(Architectures))]
    public void A_folded_model_without_names_gives_the_same_logits(string name, double width)
    {
        var network = PreActivationNet.Create(name, width);
        using var model = RandomModels.Weights(network, 3, Classes);
        using var file = ModelFile.Read(FoldedOnnx.Write(network, model), "it");
        var notes = new List<string>();

        using var imported = ModelImport.Import(network, file, chosen: null, "it", notes);

        Assert.Equal(["found the layers by their place in the ONNX graph"], notes);
        AssertSameLogits(network, model, imported);
    }

    [Fact]
    public void Another_epsilon_is_taken_into_account()
    {
        var network = MedMerge.Models.Architectures.Create("densenet121", 0.0625);
        using var model = RandomModels.Weights(network, 3, Classes);
        using var file = ModelFile.Read(FoldedOnnx.Write(network, model, epsilon: 1e-3), "it");
        using var imported = ModelImport.Import(network, file, chosen: null, "it", []);
        AssertSameLogits(network, model, imported);
    }

    /// <summary>As <c>medmerge inspect</c> shows it.</summary>
    [Theory]
    [InlineData("resnet18", 0.125)]
    [InlineData("resnet50", 0.0625)]
    [InlineData("mobilenet_v2", 0.125)]
    public void A_folded_model_without_names_is_recognised_with_its_width(string name, double width)
    {
        var network = MedMerge.Models.Architectures.Create(name, width);
        using var model = RandomModels.Weights(network, 3, Classes);
        using var file = ModelFile.Read(FoldedOnnx.Write(network, model), "it");
        Assert.Equal([network.Title], ModelImport.Recognise(file).Select(found => found.Architecture.Title));
    }

    [Fact]
    public void Another_network_is_refused_by_its_first_operation_that_fits_nowhere()
    {
        var deeper = MedMerge.Models.Architectures.Create("resnet34", 0.0625);
        using var model = RandomModels.Weights(deeper, 3, Classes);
        using var file = ModelFile.Read(FoldedOnnx.Write(deeper, model), "'it'");

        var error = Assert.Throws<InputException>(() => ModelImport.Import(ResNet, file, chosen: null, "'it'", []));

        Assert.StartsWith("'it' is not a resnet18 (width 0.0625): its Conv '", error.Message, StringComparison.Ordinal);
        const string expected = "with weights [4, 4, 3, 3], stride 1, padding 1 fits no layer in its place.";
        Assert.EndsWith(expected, error.Message, StringComparison.Ordinal);
    }

    /// <summary>There are ResNets with a bottleneck's stride in another convolution, of the same shapes.</summary>
    [Fact]
    public void A_network_that_differs_in_its_strides_alone_is_refused()
    {
        var network = MedMerge.Models.Architectures.Create("resnet50", 0.0625);
        using var model = RandomModels.Weights(network, 3, Classes);
        var bytes = FoldedOnnx.Write(network, model);
        var text = Latin1.GetString(bytes);
        var stride = "strides@\u0002@\u0002"; // the attribute's name, then 2 and 2
        Assert.Contains(stride, text, StringComparison.Ordinal);
        var changed = Latin1.GetBytes(text.Replace(stride, "strides@\u0001@\u0001", StringComparison.Ordinal));
        Assert.NotEqual(bytes, changed);
        using var file = ModelFile.Read(changed, "it");
        var error = Assert.Throws<InputException>(() => ModelImport.Import(network, file, chosen: null, "it", []));
        Assert.Contains("stride 1, padding 3 fits no layer in its place", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Each of the wire format's ways to hold numbers.</summary>
    [Fact]
    public void Values_are_read_in_every_form()
    {
        float[] values = [1.5f, -2, 0.25f];
        using var halves = tensor(values).to(ScalarType.Float16);
        using var doubles = tensor(values).to(ScalarType.Float64);
        var bits = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ushort>(halves.bytes).ToArray();
        var packedFloats = System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values).ToArray();

        AssertValues(Describe(1).Add(9, packedFloats), "F32");
        AssertValues(Describe(1).Add(4, packedFloats), "F32");
        AssertValues(Describe(1).Add(4, packedFloats.AsMemory(0, 4)).Add(4, packedFloats.AsMemory(4)), "F32");
        AssertValues(values.Aggregate(Describe(1), (tensor, value) => tensor.Add(4, value)), "F32");
        AssertValues(bits.Aggregate(Describe(10), (tensor, value) => tensor.Add(5, (long)value)), "F16");
        AssertValues(Describe(10).Add(9, halves.bytes.ToArray()), "F16");
        AssertValues(Describe(11).Add(10, doubles.bytes.ToArray()), "F64");
        AssertValues(Describe(11).Add(9, doubles.bytes.ToArray()), "F64");

        ProtobufMessage Describe(int type) => new ProtobufMessage().Add(1, values.Length).Add(2, type).Add(8, "x");

        void AssertValues(ProtobufMessage tensor, string type)
        {
            using var file = ModelFile.Read(Model(tensor), "it");
            var stored = file.Find("x")!;
            Assert.Equal(type, stored.Type);
            using var read = stored.Read();
            Assert.Equal(values, read.to(ScalarType.Float32).data<float>().ToArray());
        }
    }

    [Fact]
    public void Constants_and_names_for_other_tensors_are_tensors_too()
    {
        var tensor = new ProtobufMessage().Add(1, 1).Add(2, 1).Add(4, 2.5f);
        var value = new ProtobufMessage().Add(1, "value").Add(5, tensor).Add(20, 4);
        var constant = new ProtobufMessage().Add(2, "a").Add(4, "Constant").Add(5, value);
        var identity = new ProtobufMessage().Add(1, "a").Add(2, "b").Add(4, "Identity");
        var model = new ProtobufMessage().Add(1, 8).Add(7, new ProtobufMessage().Add(1, constant).Add(1, identity)).ToArray();
        using var file = ModelFile.Read(model, "it");
        foreach (var name in new[] { "a", "b" })
        {
            using var read = file.Find(name)!.Read();
            Assert.Equal(2.5f, read.item<float>());
        }
    }

    [Theory]
    [InlineData("needs 12 bytes and has 8", 8, 3L)]
    [InlineData("needs 12 bytes and has 16", 16, 3L)]
    [InlineData("has the shape [-1], which is out of range", 0, -1L)]
    [InlineData("has the shape [4611686018427387904, 4, 0], which is out of range", 0, 1L << 62, 4L, 0L)]
    [InlineData("has the shape [2147483647, 2147483647, 2147483647], which is out of range", 0, 2147483647L, 2147483647L, 2147483647L)]
    public void Shapes_that_are_not_those_of_the_values_are_refused(string message, int bytes, params long[] shape)
    {
        var tensor = shape.Aggregate(new ProtobufMessage(), (all, size) => all.Add(1, size));
        AssertRefused(message, Model(tensor.Add(2, 1).Add(8, "x").Add(9, new byte[bytes])));
    }

    [Fact]
    public void Values_in_another_file_are_refused() => AssertRefused(
        "the values of 'x' lie in another file, which is not read: save the model in one file",
        Model(new ProtobufMessage().Add(1, 3).Add(2, 1).Add(8, "x").Add(14, 1)));

    [Fact]
    public void Two_tensors_of_one_name_are_refused() => AssertRefused(
        "the tensor 'x' is there twice",
        Model(new ProtobufMessage().Add(1, 0).Add(2, 1).Add(8, "x"), new ProtobufMessage().Add(1, 0).Add(2, 1).Add(8, "x")));

    [Fact]
    public void A_model_without_a_graph_is_refused() =>
        AssertRefused("it holds no graph", new ProtobufMessage().Add(1, 8).Add(2, "nobody").ToArray());

    /// <summary>Long runs of whole numbers in a byte each must not become eight times as much memory.</summary>
    [Fact]
    public void More_numbers_than_the_shape_has_are_refused() => AssertRefused(
        "needs 8 bytes and has 16",
        Model(new ProtobufMessage().Add(1, 1).Add(2, 7).Add(8, "x").Add(7, new byte[1000])));

    [Fact]
    public void More_operations_than_any_network_has_are_refused()
    {
        byte[] nodes = [.. Enumerable.Repeat<byte[]>([0x0a, 0], 1_000_001).SelectMany(node => node)];
        AssertRefused("more than 1000000 operations", new ProtobufMessage().Add(1, 8).Add(7, nodes).ToArray());
    }

    [Fact]
    public void Lengths_beyond_the_end_are_refused() =>
        AssertRefused("it is damaged or truncated", [0x08, 8, 0x3a, 0xff, 0xff, 0xff, 0xff, 0x07, 0]);

    [Fact]
    public void No_truncation_and_no_damage_is_more_than_a_message()
    {
        using var model = RandomModels.Weights(ResNet, 3, Classes);
        var whole = FoldedOnnx.Write(ResNet, model);
        var random = new RandomStream(11);
        for (var i = 0; i < 200; i++) AssertReadOrRefused(whole[..(3 + random.Below(whole.Length - 3))]);
        for (var i = 0; i < 400; i++)
        {
            var damaged = (byte[])whole.Clone();
            for (var j = 0; j < 3; j++) damaged[3 + random.Below(damaged.Length - 3)] = (byte)random.Below(256);
            AssertReadOrRefused(damaged);
        }

        static void AssertReadOrRefused(byte[] bytes)
        {
            try
            {
                using var file = ModelFile.Read(bytes, "it");
                ModelImport.Import(ResNet, file, chosen: null, "it", []).Dispose();
            }
            catch (InputException)
            {
                // a message
            }
        }
    }

    private static System.Text.Encoding Latin1 => System.Text.Encoding.Latin1;

    private static byte[] Model(params ReadOnlySpan<ProtobufMessage> tensors)
    {
        var graph = new ProtobufMessage().Add(2, "graph");
        foreach (var tensor in tensors) graph.Add(5, tensor);
        return new ProtobufMessage().Add(1, 8).Add(7, graph).ToArray();
    }

    private static void AssertRefused(string message, byte[] file)
    {
        var error = Assert.Throws<InputException>(() => ModelFile.Read(file, "'it'"));
        Assert.StartsWith("'it' can't be read as an ONNX model: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    private static void AssertSameLogits(Architecture network, StateDict expected, StateDict actual)
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        var images = randn(2, 3, network.MinSide + 12, network.MinSide + 9);
        var (first, second) = (Compute(expected), Compute(actual));
        var difference = ((first - second).abs().max() / first.abs().max()).item<float>();
        Assert.True(difference <= 1e-4, $"{network.Title}: {difference} of the largest logit");

        Tensor Compute(StateDict model)
        {
            using var built = new BatchNormNetwork(network, model, CPU);
            return built.Forward(images, training: false);
        }
    }
}
