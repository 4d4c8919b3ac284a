using System.Text;
using System.Text.Json;
using MedMerge.Tensors;

namespace MedMerge.Cli.Tests;

/// <summary>The command as its user runs it: what it prints, what it returns, what it leaves behind.</summary>
public sealed class CommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-cli-").FullName;

    public CommandTests() => File.WriteAllText(In("spec.yaml"), TinySpecification.Yaml("[medmerge, fine-tune]", seeds: 2));

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

        // With fewer seeds and other names into the same folder: nothing of the first run is left but what it did not write.
        File.WriteAllText(In("out/sources/notes.txt"), "mine");
        File.WriteAllText(In("spec.yaml"), TinySpecification.Yaml("[medmerge]").Replace("name: a", "name: c", StringComparison.Ordinal));
        var (over, _, overError) = await RunAsync("run", In("spec.yaml"), "--store", In("store"), "--output", In("out"));
        Assert.True(over == ExitCodes.Done, overError);
        Assert.Equal(["seed-0"], Directory.GetFileSystemEntries(In("out/medmerge")).Select(Path.GetFileName));
        Assert.Equal(["b.safetensors", "c.safetensors", "notes.txt"], Directory.GetFileSystemEntries(In("out/sources")).Select(Path.GetFileName).Order());

        // A source that the next run would write over.
        File.WriteAllText(In("spec.yaml"), $"target: {{ data: 'phantom:lesions' }}\narchitecture: resnet20\nwidth: 0.125\nsources:\n"
                                           + $" - {{ name: x, weights: '{In("out/sources/b.safetensors")}' }}\n - {{ name: y, weights: '{In("out/sources/c.safetensors")}' }}\n");
        var (own, _, ownError) = await RunAsync("run", In("spec.yaml"), "--store", In("store"), "--output", In("out"));
        Assert.Equal(ExitCodes.BadInput, own);
        Assert.Contains("lies where this run writes its own models", ownError, StringComparison.Ordinal);
        Assert.True(File.Exists(In("out/sources/b.safetensors")));
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
    [InlineData("--epochs is -1; it must be from 1 to 100000.", "pretrain", "--data", "phantom:cells", "--architecture", "resnet20", "--epochs", "-1", "--output", "y")]
    [InlineData("--batch-size is 2147483647; it must be from 2 to 65536.\n--learning-rate is NaN; it must be from 0 to 100.\n--threads is 0; it must be from 1 to 1024.\n--device is 'gpu'",
        "pretrain", "--data", "phantom:cells", "--architecture", "resnet20", "--batch-size", "2147483647", "--learning-rate", "NaN", "--threads", "0", "--device", "gpu", "--output", "y")]
    [InlineData("There is no store", "storage", "verify", "--store", "y")]
    [InlineData("There is no store", "storage", "gc", "--store", "y")]
    [InlineData("There is no store", "storage", "verify", "--store", "")]
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
        Assert.False(Path.Exists(In("y")));
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
    public async Task An_output_on_the_way_that_was_lost_is_computed_again_for_the_export()
    {
        var (_, first, firstError) = await RunAsync("run", In("spec.yaml"), "--store", In("store"), "--json");
        Assert.True(first.Length > 0, firstError);
        foreach (var stage in Directory.GetFiles(In("store/stages")).Where(file => File.ReadAllText(file).Contains("\"stage\":\"weigh\"", StringComparison.Ordinal))) File.Delete(stage);

        var (code, again, error) = await RunAsync("run", In("spec.yaml"), "--store", In("store"), "--output", In("out"), "--json");
        Assert.True(code == ExitCodes.Done, error);
        Assert.Equal(first, again);
        Assert.True(File.Exists(In("out/medmerge/seed-0/weighing.json")));
    }

    [Fact]
    public async Task A_device_that_is_not_there_is_told_before_any_folder_is_made()
    {
        TorchRuntime.Start();
        if (TorchSharp.torch.cuda.is_available()) Assert.Skip("This machine has CUDA.");
        File.AppendAllText(In("spec.yaml"), "\ndevice: cuda:0");
        var (code, _, error) = await RunAsync("run", In("spec.yaml"), "--store", In("store"), "--output", In("out"));
        Assert.Equal(ExitCodes.BadInput, code);
        Assert.Contains("asks for CUDA", error, StringComparison.Ordinal);

        var (pretrained, _, pretrainError) = await RunAsync("pretrain", "--data", "phantom:cells", "--architecture", "resnet20", "--device", "cuda:0",
            "--store", In("store"), "--output", In("out/y"));
        Assert.Equal(ExitCodes.BadInput, pretrained);
        Assert.Contains("asks for CUDA", pretrainError, StringComparison.Ordinal);
        Assert.Equal(["spec.yaml"], Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("sources/a.safetensors", null)]
    [InlineData("medmerge/seed-0/mine.txt", "{}")]
    [InlineData("medmerge/mine.txt", "no JSON")]
    public async Task An_output_folder_with_files_of_others_is_refused_and_left_alone(string file, string? results)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(In("out/" + file))!);
        File.WriteAllText(In("out/" + file), "mine");
        if (results is not null) File.WriteAllText(In("out/results.json"), results);
        var (code, _, error) = await RunAsync("run", In("spec.yaml"), "--store", In("store"), "--output", In("out"));
        Assert.Equal(ExitCodes.BadInput, code);
        Assert.Contains("no results.json of a run beside it", error, StringComparison.Ordinal);
        Assert.Equal("mine", File.ReadAllText(In("out/" + file)));
        Assert.False(Directory.Exists(In("store")));
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
