using System.Diagnostics;
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

/// <summary>An exported model loads in PyTorch under the architecture's own names and computes the same logits there.</summary>
public class PyTorchExportTests
{
    private const string Python = "/usr/bin/python3"; // Debian's, which has Debian's python3-torch

    [Theory]
    [InlineData("resnet20")]
    [InlineData("resnet56")]
    [InlineData("resnet18")]
    [InlineData("resnet18-3x3")]
    public void PyTorch_computes_the_same_logits(string name)
    {
        SkipWithoutPyTorch();
        using var weights = RandomModels.Weights(Architectures.Create(name), seed: 3, classes: 5);
        AssertSameLogits(name, weights);
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
            AssertSameLogits("resnet20", weights);
        }
    }

    /// <summary>All kinds of files that are exported: models, kernel weights, and every type that the writer knows.</summary>
    [Fact]
    public async Task The_official_safetensors_reads_every_export()
    {
        if (!File.Exists(Python) || Run("-c", "import safetensors, numpy").Code != 0)
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
                var (code, shown) = Run(Path.Combine(AppContext.BaseDirectory, "Fixtures", "check_safetensors.py"), path);
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
        if (!File.Exists(Python) || Run("-c", "import torch, torchvision").Code != 0)
            Assert.Skip("PyTorch is not here (Debian: apt-get install python3-torch python3-torchvision).");
    }

    private static void AssertSameLogits(string name, StateDict weights)
    {
        var folder = Directory.CreateTempSubdirectory("medmerge-pytorch-").FullName;
        try
        {
            var architecture = Architectures.Create(name);
            using var scope = NewDisposeScope();
            using var inference = no_grad();
            var target = Phantoms.Create("cells", train: 8, validation: 3, test: 3);
            using var loader = new BatchLoader(target, TestDevice.Torch);
            using var network = new BatchNormNetwork(architecture, weights, TestDevice.Torch);
            var images = loader.Load(target.Train, [.. Enumerable.Range(0, 8)]);
            using var expected = new StateDict();
            expected.Add("images", images);
            expected.Add("logits", network.Forward(images, training: false));
            File.WriteAllBytes(Path.Combine(folder, "model.safetensors"), Safetensors.Write(weights, ModelMetadata.Of(architecture)));
            File.WriteAllBytes(Path.Combine(folder, "expected.safetensors"), Safetensors.Write(expected));

            var (code, output) = Run(Path.Combine(AppContext.BaseDirectory, "Fixtures", "check_export.py"), name, folder);

            Assert.True(code == 0, output);
            Assert.Contains("same logits", output, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static (int Code, string Output) Run(params string[] arguments)
    {
        var start = new ProcessStartInfo(Python, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + error.Result);
    }
}
