using MedMerge.Data;
using MedMerge.Data.Formats;
using MedMerge.Models;
using MedMerge.Models.Onnx;
using MedMerge.Tensors;
using MedMerge.Tests.Merging;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using static TorchSharp.torch;
using ModelMetadata = MedMerge.Models.ModelMetadata;

namespace MedMerge.Tests.Models.Onnx;

/// <summary>What is exported as ONNX, run by ONNX Runtime, and read again.</summary>
public class OnnxExportTests(ITestOutputHelper log)
{
    private const int Classes = 5, Batch = 3;

    public static TheoryData<string, double> Architectures => NumericsTests.Architectures;

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Onnx_Runtime_computes_the_same_logits(string name, double width)
    {
        var network = PreActivationNet.Create(name, width);
        using var model = RandomModels.Weights(network, 3, Classes);
        var smallest = (Math.Max(network.MinSide, 1), Math.Max(network.MinSide, 1));
        var larger = (network.MinSide + 19, network.MinSide + 6);

        if (OnnxExport.NeedsSize(network))
        {
            foreach (var size in new[] { smallest, larger }) AssertSameLogits(network, model, Export(network, model, size), size);
            return;
        }
        var file = Export(network, model);
        foreach (var size in new[] { smallest, larger }) AssertSameLogits(network, model, file, size);
    }

    /// <summary>Where its last features are as large as its pooled image, and where they are larger.</summary>
    [Theory]
    [InlineData(224)]
    [InlineData(256)]
    public void Adaptive_pooling_is_written_for_any_size(int side)
    {
        var network = MedMerge.Models.Architectures.Create("vgg16_bn", 0.03125);
        using var model = RandomModels.Weights(network, 3, Classes);
        AssertSameLogits(network, model, Export(network, model, (side, side)), (side, side));
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void An_exported_model_is_imported_with_the_same_bytes(string name, double width)
    {
        var network = PreActivationNet.Create(name, width);
        using var model = RandomModels.Weights(network, 3, Classes);
        using var file = ModelFile.Read(Export(network, model, (64, 64)), "it");
        var notes = new List<string>();

        using var imported = ModelImport.Import(network, file, chosen: null, "it", notes);

        Assert.Empty(notes);
        Assert.Equal("ONNX model", file.Format);
        Assert.Equal(Safetensors.Write(model), Safetensors.Write(imported));
    }

    [Fact]
    public void An_exported_model_says_what_a_safetensors_file_says()
    {
        var network = MedMerge.Models.Architectures.Create("resnet20", 0.125);
        var signature = ModelSignature.Of(Phantoms.Create("lesions", 28, train: 8, validation: 4, test: 4));
        using var model = RandomModels.Weights(network, 3, Classes);
        var metadata = ModelMetadata.Of(network, signature);
        var bytes = OnnxExport.Write(network, model, size: null, metadata).ToArray();

        using var file = ModelFile.Read(bytes, "it");
        using var session = new InferenceSession(bytes);

        Assert.Equivalent(metadata, file.Metadata, strict: true);
        Assert.Equivalent(metadata, session.ModelMetadata.CustomMetadataMap, strict: true);
        Assert.Equal([-1, 3, -1, -1], session.InputMetadata["images"].Dimensions);
        Assert.Equal([-1, Classes], session.OutputMetadata["logits"].Dimensions);
    }

    [Fact]
    public void The_same_model_gives_the_same_bytes()
    {
        var network = MedMerge.Models.Architectures.Create("densenet121", 0.0625);
        using var model = RandomModels.Weights(network, 3, Classes);
        Assert.Equal(Export(network, model), Export(network, model));
    }

    private static byte[] Export(Architecture network, StateDict model, (int, int)? size = null) =>
        OnnxExport.Write(network, model, size, ModelMetadata.Of(network, signature: null)).ToArray();

    private void AssertSameLogits(Architecture network, StateDict model, byte[] file, (int Height, int Width) size)
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        var random = new RandomStream(8);
        var values = new float[Batch * 3 * size.Height * size.Width];
        for (var i = 0; i < values.Length; i++) values[i] = (float)random.NextNormal();
        using var built = new BatchNormNetwork(network, model, CPU);
        var expected = built.Forward(tensor(values).view(Batch, 3, size.Height, size.Width), training: false);

        using var session = new InferenceSession(file);
        var images = new DenseTensor<float>(values, [Batch, 3, size.Height, size.Width]);
        using var results = session.Run([NamedOnnxValue.CreateFromTensor("images", images)]);
        var logits = results.Single(result => result.Name == "logits").AsTensor<float>();

        Assert.Equal([Batch, Classes], logits.Dimensions.ToArray());
        var actual = tensor(logits.ToArray()).view(Batch, Classes);
        var difference = ((expected - actual).abs().max() / expected.abs().max()).item<float>();
        log.WriteLine($"{network.Title} at {size}: {difference:0.0e0} of the largest logit");
        Assert.True(difference <= 1e-4, $"{network.Title} at {size}: {difference} of the largest logit");
    }
}
