using System.Globalization;
using MedMerge.Data;
using MedMerge.Data.Formats;
using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Stages;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Testing;
using MedMerge.Tests.Experiments;
using static TorchSharp.torch;

namespace MedMerge.Tests.Models;

/// <summary>
/// An exported model loads in PyTorch under the architecture's own names and computes the same logits there; and a state dictionary that
/// PyTorch's network saved is imported and computes the same here, as is what PyTorch's own exporter wrote for ONNX.
/// </summary>
public class PyTorchExportTests(ITestOutputHelper log)
{
    /// <param name="sides">Of images, in pixels.</param>
    [Theory]
    [InlineData("resnet20", 1, 28)]
    [InlineData("resnet56", 1, 28)]
    [InlineData("resnet18", 1, 28, 64)]
    [InlineData("resnet18-3x3", 1, 28, 64)]
    [InlineData("resnet34", 1, 28, 64, 224)]
    [InlineData("resnet50", 1, 28, 64, 224)]
    [InlineData("vgg16_bn", 0.25, 32, 64, 224)]
    [InlineData("densenet121", 1, 29, 64, 224)]
    [InlineData("mobilenet_v2", 1, 28, 64, 224)]
    public void PyTorch_computes_the_same_logits(string name, double width, params int[] sides)
    {
        SkipWithoutPyTorch();
        var architecture = Architectures.Create(name, width);
        using var weights = RandomModels.Weights(architecture, seed: 3, classes: 5);
        AssertSameLogits(architecture, weights, sides);
    }

    /// <summary>What a run exports: a merge whose batch norm was restored, and that merge fine-tuned.</summary>
    [Fact]
    public async Task PyTorch_computes_the_same_logits_of_what_a_run_exports()
    {
        SkipWithoutPyTorch();
        var specification = new SpecificationBuilder { Width = 1, Methods = "[medmerge]" }.WithEpochs(2);
        var plan = specification.BuildPlan();
        await using var device = new DeviceThread(TestDevice.Name, 1);
        var runner = new StageRunner(
            new MemoryStageStore(), device, (location, kind, _) => Task.FromResult(InputFile.Read(location, kind)));
        foreach (var stage in new[] { OutputRole.MergedModel, OutputRole.Model }.Select(role => plan.Trials[0].FindOutput(role)!.Stage))
        {
            var output = await runner.OutputAsync(stage, (_, _) => { }, TestContext.Current.CancellationToken);
            using var weights = Safetensors.Read(output[StageFiles.Model], stage.Name).Tensors;
            AssertSameLogits(Architectures.Create("resnet20"), weights, 28);
        }
    }

    /// <summary>All kinds of files that are exported: models, kernel weights, and every type that the writer knows.</summary>
    [Fact]
    public async Task The_official_safetensors_reads_every_export()
    {
        if (!Python.Has("safetensors, numpy"))
        {
            Assert.Skip(
                "The official safetensors is not here " +
                "(Debian, where the release has it: apt-get install python3-safetensors python3-numpy).");
        }
        var plan = new SpecificationBuilder { Methods = "[medmerge]" }.WithEpochs(1).BuildPlan();
        await using var device = new DeviceThread(TestDevice.Name, 1);
        var runner = new StageRunner(
            new MemoryStageStore(), device, (location, kind, _) => Task.FromResult(InputFile.Read(location, kind)));
        var folder = Directory.CreateTempSubdirectory("medmerge-safetensors-").FullName;
        try
        {
            var files = new Dictionary<string, byte[]>();
            foreach (var role in new[] { OutputRole.KernelWeights, OutputRole.MergedModel, OutputRole.Model })
            {
                var output = plan.Trials[0].FindOutput(role)!;
                var written = await runner.OutputAsync(output.Stage, (_, _) => { }, TestContext.Current.CancellationToken);
                files[$"{role}"] = written[output.Artefact];
            }
            files["types"] = WriteTypes();
            foreach (var (name, content) in files)
            {
                var path = Path.Combine(folder, name);
                File.WriteAllBytes(path, content);
                var (code, shown) = Python.Run(Path.Combine(AppContext.BaseDirectory, "Fixtures", "check_safetensors.py"), path);
                Assert.True(code == 0, shown);
                using var file = ModelFile.Read(path);
                Assert.Equal(file.Tensors.Count + 1, shown.Trim().Split('\n').Length);
                Assert.All(file.Tensors, tensor => Assert.Contains(tensor.Name, shown, StringComparison.Ordinal));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>One tensor of each type but BF16, which NumPy does not have.</summary>
    private static byte[] WriteTypes()
    {
        using var scope = NewDisposeScope();
        using var types = new StateDict();
        foreach (var type in ElementType.All.Where(type => type.Torch != ScalarType.BFloat16))
            types.Add(type.Name, ones(2, 3).to(type.Torch));
        types.Add("scalar", tensor(2.5));
        types.Add("empty", zeros(0, 3));
        return Safetensors.Write(types, new Dictionary<string, string> { ["ü"] = "\"" });
    }

    private static void SkipWithoutPyTorch()
    {
        if (!Python.Has("torch, torchvision"))
            Assert.Skip("PyTorch is not here (Debian: apt-get install python3-torch python3-torchvision).");
    }

    private void AssertSameLogits(Architecture architecture, StateDict weights, params int[] sides)
    {
        var folder = Directory.CreateTempSubdirectory("medmerge-pytorch-").FullName;
        try
        {
            using var scope = NewDisposeScope();
            using var inference = no_grad();
            using var images = new StateDict();
            foreach (var side in sides) images.Add($"{side}", CreateImages(side));
            using var expected = ComputeLogits(architecture, weights, sides);
            var file = Safetensors.Write(weights, ModelMetadata.Of(architecture, signature: null));
            File.WriteAllBytes(Path.Combine(folder, "model.safetensors"), file);
            File.WriteAllBytes(Path.Combine(folder, "images.safetensors"), Safetensors.Write(images));
            File.WriteAllBytes(Path.Combine(folder, "logits.safetensors"), Safetensors.Write(expected));

            var script = Path.Combine(AppContext.BaseDirectory, "Fixtures", "check_export.py");
            var width = architecture.Width.ToString("R", CultureInfo.InvariantCulture);
            var (code, output) = Python.Run(script, architecture.Name, width, folder);

            Assert.True(code == 0, output);
            Assert.Contains("same logits", output, StringComparison.Ordinal);
            log.WriteLine($"{architecture.Title}: {output}");

            using var theirs = ModelFile.Read(Path.Combine(folder, "saved-logits.pt"));
            foreach (var name in new[] { "saved.pt", "saved.onnx" })
            {
                using var saved = ModelFile.Read(Path.Combine(folder, name));
                using var imported = ModelImport.Import(architecture, saved, chosen: null, "PyTorch's model", []);
                using var computed = ComputeLogits(architecture, imported, sides);
                foreach (var (side, logits) in computed) AssertClose(theirs.Find(side)!.Read(), logits, side);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Two normalised images.</summary>
    private static Tensor CreateImages(int side)
    {
        var target = Phantoms.Create("cells", side, train: 3, validation: 3, test: 3);
        using var loader = new BatchLoader(target, TestDevice.Torch);
        return loader.Load(target.Train, [0, 1]);
    }

    /// <returns>Those of <see cref="CreateImages"/>, by side.</returns>
    private static StateDict ComputeLogits(Architecture architecture, StateDict weights, IEnumerable<int> sides)
    {
        var logits = new StateDict();
        using var network = new BatchNormNetwork(architecture, weights, TestDevice.Torch);
        foreach (var side in sides) logits.Add($"{side}", network.Forward(CreateImages(side), training: false));
        return logits;
    }

    private static void AssertClose(Tensor expected, Tensor actual, string side)
    {
        var difference = ((expected - actual).abs().max() / expected.abs().max()).item<float>();
        Assert.True(difference < 1e-4, $"at {side} pixels {difference} of the largest logit");
    }
}
