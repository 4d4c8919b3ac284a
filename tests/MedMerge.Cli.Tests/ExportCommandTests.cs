using MedMerge.Data.Formats;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Testing;

namespace MedMerge.Cli.Tests;

/// <summary><c>medmerge export</c>.</summary>
public sealed class ExportCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-export-").FullName;

    public ExportCommandTests()
    {
        var signature = ModelSignature.Of(Phantoms.Create("lesions", 32, train: 8, validation: 4, test: 4));
        Write("resnet20", "named", network => ModelMetadata.Of(network, signature));
        Write("resnet20", "unnamed", _ => null);
        Write("vgg16_bn", "vgg", network => ModelMetadata.Of(network, signature));
        Write("vgg16_bn", "sizeless", network => ModelMetadata.Of(network, signature: null));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("named")]
    [InlineData("unnamed", "--architecture", "resnet20", "--width", "0.0625")]
    [InlineData("vgg")]
    [InlineData("sizeless", "--size", "48x32")]
    public async Task A_model_is_written_as_ONNX_that_inspect_and_export_read(string name, params string[] options)
    {
        var (code, output, error) = await RunAsync(["export", In(name), "--output", In("out.onnx"), .. options]);
        Assert.True(code == ExitCodes.Done, error);
        Assert.Contains("as ONNX into", output, StringComparison.Ordinal);

        var (_, inspected, _) = await RunAsync("inspect", In("out.onnx"));
        Assert.Contains("ONNX model", inspected, StringComparison.Ordinal);
        Assert.Matches("fits (resnet20|vgg16_bn) \\(width 0.0625\\)", inspected);

        var (again, _, againError) = await RunAsync(["export", In("out.onnx"), "--output", In("again.onnx"), .. options]);
        Assert.True(again == ExitCodes.Done, againError);
        Assert.Equal(File.ReadAllBytes(In("out.onnx")), File.ReadAllBytes(In("again.onnx")));
    }

    [Theory]
    [InlineData("name no architecture; name it with --architecture", "unnamed")]
    [InlineData("There is no architecture 'vgg'", "unnamed", "--architecture", "vgg")]
    [InlineData("is not a resnet20: 'conv1.weight' has shape [1, 3, 3, 3], wanted [16, 3, 3, 3]", "unnamed", "--architecture", "resnet20")]
    [InlineData("takes images of one size, which the file's metadata don't name", "sizeless")]
    [InlineData("--size '48' must be height and width", "sizeless", "--size", "48")]
    [InlineData("takes images of 32 to 65536 pixels on either side; the size is 31x32", "sizeless", "--size", "31x32")]
    [InlineData("There is no weight file", "missing")]
    public async Task Bad_input_is_one_clear_message_and_exit_code_2(string message, string name, params string[] options)
    {
        var (code, output, error) = await RunAsync(["export", In(name), "--output", In("out.onnx"), .. options]);
        Assert.Equal(ExitCodes.BadInput, code);
        Assert.Empty(output);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.False(File.Exists(In("out.onnx")));
    }

    private static Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments) =>
        CommandOutput.OfAsync((output, error) => MedMergeCommand.RunAsync(arguments, output, error));

    private void Write(string architecture, string name, Func<Architecture, IReadOnlyDictionary<string, string>?> describe)
    {
        TorchRuntime.Start();
        var network = Architectures.Create(architecture, 0.0625);
        using var model = network.Initialise(seed: 1, classes: 3);
        File.WriteAllBytes(In(name), Safetensors.Write(model, describe(network)));
    }

    private string In(string name) => Path.Combine(_folder, name);
}
