using System.Text;
using System.Text.Json;

namespace MedMerge.Cli.Tests;

/// <summary>The command as its user runs it: what it prints, what it returns, what it leaves behind.</summary>
public sealed class CommandTests : IDisposable
{
    private const string Small = """
        name: small
        target: { data: 'phantom:lesions', trainImages: 24 }
        architecture: resnet20
        width: 0.125
        sources:
          - name: a
            pretrain: { data: 'phantom:opacities', trainImages: 24, epochs: 1 }
          - name: b
            pretrain: { data: 'phantom:vessels', trainImages: 24, epochs: 1 }
        methods: [medmerge, fine-tune]
        seeds: 2
        threads: 1
        weights: { epochs: 1, batchSize: 8 }
        fineTune: { epochs: 1, batchSize: 8 }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-cli-").FullName;

    public CommandTests() => File.WriteAllText(In("spec.yaml"), Small);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_run_prints_its_table_and_writes_everything_and_merge_gives_the_same_bytes()
    {
        var (code, output, error) = await RunAsync("run", In("spec.yaml"), "--store", In("store"), "--output", In("out"));
        Assert.True(code == ExitCodes.Done, error);
        Assert.Contains("| medmerge", output, StringComparison.Ordinal);
        Assert.Contains("synthetic", error, StringComparison.Ordinal);
        Assert.Equal(output, await File.ReadAllTextAsync(In("out/results.md"), TestContext.Current.CancellationToken));
        string[] files = ["certificate.json", "fine-tuning.json", "kernel-weights.safetensors", "merged.safetensors", "model.safetensors", "weighing.json"];
        Assert.Equal(files, Directory.GetFiles(In("out/medmerge/seed-1")).Select(Path.GetFileName).Order());

        var (mergeCode, _, mergeError) = await RunAsync("merge", In("out/medmerge/seed-1/kernel-weights.safetensors"),
            "--source", $"b={In("out/sources/b.safetensors")}", "--source", $"a={In("out/sources/a.safetensors")}", "--output", In("again.safetensors"));
        Assert.True(mergeCode == ExitCodes.Done, mergeError);
        Assert.Equal(File.ReadAllBytes(In("out/medmerge/seed-1/merged.safetensors")), File.ReadAllBytes(In("again.safetensors")));

        var (swapped, _, swappedError) = await RunAsync("merge", In("out/medmerge/seed-1/kernel-weights.safetensors"),
            "--source", $"b={In("out/sources/a.safetensors")}", "--source", $"a={In("out/sources/a.safetensors")}", "--output", In("wrong.safetensors"));
        Assert.Equal(ExitCodes.BadInput, swapped);
        Assert.Contains("is not the source 'b'", swappedError, StringComparison.Ordinal);
        Assert.False(File.Exists(In("wrong.safetensors")));

        var (_, inspected, _) = await RunAsync("inspect", In("out/medmerge/seed-1/kernel-weights.safetensors"));
        Assert.Contains("Mean kernel weight by layer", inspected, StringComparison.Ordinal);

        // Again: everything is kept, the result is the same, as JSON.
        var (_, json, again) = await RunAsync("run", In("spec.yaml"), "--store", In("store"), "--json");
        Assert.DoesNotContain("trial", again, StringComparison.Ordinal);
        using var document = JsonDocument.Parse(json);
        Assert.Equal(6, document.RootElement.GetProperty("trials").GetArrayLength());
        Assert.Equal(File.ReadAllText(In("out/results.json")), json);
    }

    [Fact]
    public async Task A_dry_run_computes_nothing()
    {
        var (code, output, _) = await RunAsync("run", In("spec.yaml"), "--store", In("store"), "--dry-run");
        Assert.Equal(ExitCodes.Done, code);
        Assert.Contains("6 trials, ", output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(In("store")));
    }

    [Fact]
    public async Task Pretraining_makes_a_source_that_inspect_recognises()
    {
        var (code, output, error) = await RunAsync("pretrain", "--data", "phantom:cells", "--architecture", "resnet20", "--width", "0.125", "--epochs", "1", "--threads", "1",
            "--store", In("store"), "--output", In("cells.safetensors"));
        Assert.True(code == ExitCodes.Done, error);
        Assert.Contains("Trained resnet20 (width 0.125) on phantom:cells (synthetic)", output, StringComparison.Ordinal);
        var (_, inspected, _) = await RunAsync("inspect", In("cells.safetensors"), "--json");
        using var document = JsonDocument.Parse(inspected);
        Assert.Equal("safetensors", document.RootElement.GetProperty("format").GetString());
        Assert.Equal("0.125", document.RootElement.GetProperty("metadata").GetProperty("width").GetString());
    }

    [Theory]
    [InlineData("There is no specification", "run", "missing.yaml")]
    [InlineData("There is no weight file", "inspect", "missing.pt")]
    [InlineData("There is no file of kernel weights", "merge", "missing.pt", "--source", "a=b", "--output", "y")]
    [InlineData("is a folder, not a specification", "run", ".")]
    [InlineData("is a folder, not a weight file", "inspect", ".")]
    [InlineData("is a folder, not a file of kernel weights", "merge", ".", "--source", "a=b", "--output", "y")]
    [InlineData("is a folder, not a data set", "pretrain", "--data", ".", "--architecture", "resnet20", "--output", "y")]
    [InlineData("The specification has an empty path", "run", "")]
    [InlineData("holds a NUL character", "inspect", "a\0b.pt")]
    [InlineData("is a folder; name a file in it", "merge", "missing.pt", "--source", "a=b", "--output", ".")]
    [InlineData("is a folder; name a file in it", "merge", "missing.pt", "--source", "a=b", "--output", "./new/")]
    [InlineData("'/' is a folder; name a file in it", "merge", "missing.pt", "--source", "a=b", "--output", "/")]
    [InlineData("'/' is a folder; name a file in it", "pretrain", "--data", "phantom:cells", "--architecture", "resnet20", "--output", "/")]
    [InlineData("The output has an empty path", "merge", "missing.pt", "--source", "a=b", "--output", "")]
    [InlineData("The output has an empty path", "run", "spec.yaml", "--output", "")]
    [InlineData("output's path '\\0' holds a NUL character", "merge", "missing.pt", "--source", "a=b", "--output", "\0")]
    [InlineData("can't be read as a PyTorch checkpoint", "inspect", "torn.pt")]
    [InlineData("is not a valid safetensors file", "inspect", "spec.yaml")]
    [InlineData("must be NAME=FILE", "merge", "spec.yaml", "--source", "x", "--output", "y")]
    [InlineData("There is no architecture 'resnet9'", "pretrain", "--data", "phantom:cells", "--architecture", "resnet9", "--output", "y")]
    [InlineData("There is no phantom 'cats'", "pretrain", "--data", "phantom:cats", "--architecture", "resnet20", "--output", "y")]
    [InlineData("--epochs is -1", "pretrain", "--data", "phantom:cells", "--architecture", "resnet20", "--epochs", "-1", "--output", "y")]
    [InlineData("Unrecognized command or argument", "runn")]
    [InlineData("Required argument missing", "run")]
    public async Task Bad_input_is_one_clear_message_and_exit_code_2(string message, params string[] arguments)
    {
        File.WriteAllBytes(In("torn.pt"), [0x80, 2, (byte)'}', (byte)'q']);
        string[] inFolder = [.. arguments.Select(argument => argument.Contains('.', StringComparison.Ordinal) || argument == "y" ? In(argument) : argument)];
        var (code, output, error) = await RunAsync(inFolder);
        Assert.Equal(ExitCodes.BadInput, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error + output, StringComparison.Ordinal);
        Assert.False(File.Exists(In("y")));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_to_is_told_before_anything_is_computed()
    {
        File.WriteAllText(In("file"), "");
        var (code, _, error) = await RunAsync("run", In("spec.yaml"), "--store", In("store"), "--output", In("file/out"));
        Assert.Equal(ExitCodes.BadInput, code);
        Assert.Contains("The output folder", error, StringComparison.Ordinal);
        Assert.DoesNotContain("trial 1", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_lists_types_that_it_cannot_read_and_takes_no_name_for_kernel_weights()
    {
        const string header = """{"alpha.x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F8_E5M2","shape":[2,2],"data_offsets":[4,8]}}""";
        File.WriteAllBytes(In("f8.safetensors"), [.. BitConverter.GetBytes((long)header.Length), .. Encoding.UTF8.GetBytes(header), .. new byte[8]]);
        var (code, output, error) = await RunAsync("inspect", In("f8.safetensors"));
        Assert.True(code == ExitCodes.Done, error);
        Assert.Contains("2 tensors, 5 values", output, StringComparison.Ordinal);
        Assert.Matches(@"w +\| F8_E5M2 +\| \[2, 2\]", output);
        var (_, json, _) = await RunAsync("inspect", In("f8.safetensors"), "--json");
        using var document = JsonDocument.Parse(json);
        Assert.Equal("F8_E5M2", document.RootElement.GetProperty("tensors")[1].GetProperty("type").GetString());
    }

    private string In(string name) => Path.Combine(_folder, name);

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await MedMergeCommand.RunAsync(arguments, output, error);
        return (code, output.ToString(), error.ToString());
    }
}
