using System.Text;
using MedMerge.Data.Formats;
using MedMerge.Tensors;
using MedMerge.Testing;

namespace MedMerge.Tests;

/// <summary>Another file than the wanted one is named for what it is, whichever was wanted.</summary>
public class FileContentTests
{
    [Theory]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n", "a Git LFS pointer in place of the file")]
    [InlineData("\n<!DOCTYPE HTML><html></html>", "a web page")]
    [InlineData("<html><body>Not found</body></html>", "a web page")]
    [InlineData("{\"metadata\": {}, \"weight_map\": {}}", "the JSON index of a model in several files")]
    [InlineData("{\"error\": 1}", "a JSON document")]
    [InlineData("\u0089HDF\r\n\u001a\n rest", "an HDF5 file")]
    [InlineData("\u0093NUMPY\u0001\0", "a single NumPy array")]
    [InlineData("\u001f\u008b\u0008 rest of it", "a gzip archive: unpack it first")]
    [InlineData("\u0089PNG\r\n\u001a\n rest", "a PNG image")]
    [InlineData("a,b\r\n1,2\r\n", "a text file")]
    public void It_is_named(string latin1, string kind)
    {
        var bytes = Encoding.Latin1.GetBytes(latin1);
        var weights = Assert.Throws<InputException>(() => ModelFile.Read(bytes, "'x'"));
        Assert.StartsWith($"'x' is {kind}", weights.Message, StringComparison.Ordinal);
        const string expected = "; a weight file is a safetensors file, a PyTorch checkpoint or an ONNX model.";
        Assert.EndsWith(expected, weights.Message, StringComparison.Ordinal);
        var data = Assert.Throws<InputException>(() => MedMnistReader.Read(bytes, "x", classes: null));
        Assert.StartsWith($"'x' is {kind}", data.Message, StringComparison.Ordinal);
        Assert.EndsWith("; a data set is an .npz file.", data.Message, StringComparison.Ordinal);
    }

    /// <summary>A download that broke off within the header.</summary>
    [Fact]
    public void Truncated_safetensors_are_called_that_and_not_another_kind_of_file()
    {
        using var model = new StateDict();
        model.Add("conv1.weight", TorchSharp.torch.zeros(4));
        var truncated = Safetensors.Write(model)[..20];

        var error = Assert.Throws<InputException>(() => ModelFile.Read(truncated, "'x'"));

        Assert.StartsWith("'x' is not a valid safetensors file", error.Message, StringComparison.Ordinal);
        Assert.Contains("truncated", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_and_data_in_place_of_each_other_are_named()
    {
        var folder = Directory.CreateTempSubdirectory("medmerge-content-").FullName;
        try
        {
            var npz = File.ReadAllBytes(NpzFile.Write(folder));
            var error = Assert.Throws<InputException>(() => ModelFile.Read(npz, "'x'"));
            Assert.Contains("it is a NumPy .npz file", error.Message, StringComparison.Ordinal);
            var safetensors = Safetensors.Write([]);
            error = Assert.Throws<InputException>(() => MedMnistReader.Read(safetensors, "x", classes: null));
            Assert.Contains("'x' is a safetensors file", error.Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
