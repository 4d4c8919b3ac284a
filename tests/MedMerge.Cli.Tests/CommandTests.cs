using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using MedMerge.Tensors;
using MedMerge.Testing;

namespace MedMerge.Cli.Tests;

/// <summary>The command as a user runs it: output, exit codes and files.</summary>
public sealed class CommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-cli-").FullName;

    public CommandTests()
    {
        var specification = new SpecificationBuilder { Methods = "[medmerge, fine-tune]", Seeds = 2 };
        File.WriteAllText(In("spec.yaml"), specification.Yaml);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_run_prints_its_table_and_writes_everything_and_merge_gives_the_same_bytes()
    {
        var (code, output, error) = await RunSpecificationAsync("--output", In("out"));
        Assert.True(code == ExitCodes.Done, error);
        Assert.Contains("| medmerge", output, StringComparison.Ordinal);
        Assert.Contains("synthetic", error, StringComparison.Ordinal);
        Assert.Equal(output, await File.ReadAllTextAsync(In("out/results.md"), TestContext.Current.CancellationToken));
        string[] files =
        [
            "README.md",
            "certificate.json",
            "config.json",
            "fine-tuning.json",
            "kernel-weights.safetensors",
            "learning-rate.json",
            "merged.safetensors",
            "model.safetensors",
            "weighing.json",
        ];
        Assert.Equal(files, GetFileNames("out/medmerge/seed-1"));
        Assert.Equal(1 + 6, File.ReadAllLines(In("out/trials.csv")).Length);
        Assert.Equal("PAR1"u8, File.ReadAllBytes(In("out/trials.parquet")).AsSpan(^4..));

        var (mergeCode, _, mergeError) = await MergeAsync(sourceB: "b", target: "again.safetensors");
        Assert.True(mergeCode == ExitCodes.Done, mergeError);
        Assert.Equal(File.ReadAllBytes(In("out/medmerge/seed-1/merged.safetensors")), File.ReadAllBytes(In("again.safetensors")));

        var (swapped, _, swappedError) = await MergeAsync(sourceB: "a", target: "wrong.safetensors");
        Assert.Equal(ExitCodes.BadInput, swapped);
        Assert.Contains("is not the source 'b'", swappedError, StringComparison.Ordinal);
        Assert.False(File.Exists(In("wrong.safetensors")));

        var (_, inspected, _) = await RunAsync("inspect", In("out/medmerge/seed-1/kernel-weights.safetensors"));
        Assert.Contains("Mean kernel weight by layer", inspected, StringComparison.Ordinal);

        // A second run computes nothing and gives the same result as JSON.
        var (_, json, again) = await RunSpecificationAsync("--json");
        Assert.DoesNotContain("trial", again, StringComparison.Ordinal);
        using var document = JsonDocument.Parse(json);
        Assert.Equal(6, document.RootElement.GetProperty("trials").GetArrayLength());
        Assert.Equal(File.ReadAllText(In("out/results.json")), json);
    }

    [Fact]
    public async Task A_run_replaces_the_files_of_an_earlier_run_and_neither_the_users_nor_its_own_sources()
    {
        var (code, _, error) = await RunSpecificationAsync("--output", In("out"));
        Assert.True(code == ExitCodes.Done, error);

        // With fewer seeds and other names: of the first run only a file that it did not write remains.
        File.WriteAllText(In("out/sources/notes.txt"), "mine");
        var one = new SpecificationBuilder { Methods = "[medmerge]" }.Yaml;
        File.WriteAllText(In("spec.yaml"), one.Replace(": a\n", ": c\n", StringComparison.Ordinal));
        var (over, _, overError) = await RunSpecificationAsync("--output", In("out"));
        Assert.True(over == ExitCodes.Done, overError);
        Assert.Equal(["seed-0"], GetFileNames("out/medmerge"));
        Assert.Equal(["b.safetensors", "c.safetensors", "notes.txt"], GetFileNames("out/sources"));

        // With sources that the run itself would overwrite.
        File.WriteAllText(In("spec.yaml"), $$"""
            target: { data: 'phantom:lesions' }
            architecture: resnet20
            width: 0.125
            sources:
             - { name: x, weights: '{{In("out/sources/b.safetensors")}}' }
             - { name: y, weights: '{{In("out/sources/c.safetensors")}}' }
            """);
        var (own, _, ownError) = await RunSpecificationAsync("--output", In("out"));
        Assert.Equal(ExitCodes.BadInput, own);
        Assert.Contains("lies where this run writes its own models", ownError, StringComparison.Ordinal);
        Assert.True(File.Exists(In("out/sources/b.safetensors")));
    }

    [Fact]
    public async Task The_store_says_what_takes_its_space_and_lets_go_of_old_sweeps()
    {
        var (ran, _, error) = await RunSpecificationAsync();
        Assert.True(ran == ExitCodes.Done, error);

        var (_, usage, _) = await StorageAsync("du");
        Assert.Matches(@"\| outputs of stages +\| +[1-9][\d.]* [kM]B \|", usage);
        Assert.True(Regex.IsMatch(usage, @"\| tiny-\w+ +\| +Done "), usage);
        var (unnamed, _, nothing) = await StorageAsync("retain");
        Assert.Equal(ExitCodes.BadInput, unnamed);
        Assert.Contains("Name --days, --gigabytes or both.", nothing, StringComparison.Ordinal);
        Assert.StartsWith("0 sweeps removed", (await StorageAsync("retain", "--days", "1")).Output, StringComparison.Ordinal);
        var (_, dry, _) = await StorageAsync("retain", "--gigabytes", "0", "--dry-run");
        Assert.Contains("1 sweep would be removed", dry, StringComparison.Ordinal);
        Assert.Equal(usage, (await StorageAsync("du")).Output);

        Assert.Contains("1 sweep removed", (await StorageAsync("retain", "--days", "0")).Output, StringComparison.Ordinal);
        Assert.DoesNotContain("tiny-", (await StorageAsync("du")).Output, StringComparison.Ordinal);

        Task<(int Code, string Output, string Error)> StorageAsync(params string[] arguments) =>
            RunAsync(["storage", .. arguments, "--store", In("store")]);
    }

    [Fact]
    public async Task A_dry_run_computes_nothing()
    {
        var (code, output, _) = await RunSpecificationAsync("--dry-run");
        Assert.Equal(ExitCodes.Done, code);
        Assert.Contains("6 trials, ", output, StringComparison.Ordinal);
        Assert.Contains("Expected time: not known, no stage of kind fine-tune, ", output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(In("store")));
    }

    [Fact]
    public async Task A_dry_run_expects_the_time_that_stages_of_earlier_runs_took()
    {
        var (code, _, error) = await RunSpecificationAsync();
        Assert.True(code == ExitCodes.Done, error);
        var more = new SpecificationBuilder { Methods = "[medmerge, fine-tune]", Seeds = 3 };
        File.WriteAllText(In("spec.yaml"), more.Yaml);

        var (_, output, _) = await RunSpecificationAsync("--dry-run", "--lanes", "3");

        Assert.Matches(@"\nExpected time: about \d+ s on 3 lanes, by the paces of \d+ measured stages\r?\n", output);
    }

    [Fact]
    public async Task Pretraining_writes_a_source_that_inspect_recognises()
    {
        var (code, output, error) = await PretrainAsync(
            "--width", "0.125",
            "--epochs", "1",
            "--threads", "1",
            "--output", In("cells.safetensors"));
        Assert.True(code == ExitCodes.Done, error);
        Assert.Contains("Trained resnet20 (width 0.125) on phantom:cells (synthetic)", output, StringComparison.Ordinal);
        var (_, inspected, _) = await RunAsync("inspect", In("cells.safetensors"), "--json");
        using var document = JsonDocument.Parse(inspected);
        Assert.Equal("safetensors", document.RootElement.GetProperty("format").GetString());
        var metadata = document.RootElement.GetProperty("metadata");
        Assert.Equal("0.125", metadata.GetProperty("width").GetString());
        Assert.Equal("[3,28,28]", metadata.GetProperty("input_size").GetString());
        var (_, text, _) = await RunAsync("inspect", In("cells.safetensors"));
        Assert.Contains($"  mean: {metadata.GetProperty("mean").GetString()}", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("There is no specification", "run", "missing.yaml")]
    [InlineData("There is no weight file", "inspect", "missing.pt")]
    [InlineData("There is no file of kernel weights", "merge", "missing.pt", "--source", "a=b", "--output", "y")]
    [InlineData("is a folder, not a specification", "run", ".")]
    [InlineData("is a folder, not a weight file", "inspect", ".")]
    [InlineData("is a folder, not a file of kernel weights", "merge", ".", "--source", "a=b", "--output", "y")]
    [InlineData("holds no images", "pretrain", "--data", ".", "--architecture", "resnet20", "--output", "y")]
    [InlineData("The specification has an empty path", "run", "")]
    [InlineData("holds a NUL character", "inspect", "a\0b.pt")]
    [InlineData("is a folder; name a file in it", "merge", "missing.pt", "--source", "a=b", "--output", ".")]
    [InlineData("is a folder; name a file in it", "merge", "missing.pt", "--source", "a=b", "--output", "./new/")]
    [InlineData("'/' is a folder; name a file in it", "merge", "missing.pt", "--source", "a=b", "--output", "/")]
    [InlineData("The output has an empty path", "merge", "missing.pt", "--source", "a=b", "--output", "")]
    [InlineData("The output has an empty path", "run", "spec.yaml", "--output", "")]
    [InlineData("output's path '\\0' holds a NUL character", "merge", "missing.pt", "--source", "a=b", "--output", "\0")]
    [InlineData("can't be read as a PyTorch checkpoint", "inspect", "torn.pt")]
    [InlineData("is a text file; a weight file is a safetensors file, a PyTorch checkpoint or an ONNX model", "inspect", "spec.yaml")]
    [InlineData("must be NAME=FILE", "merge", "spec.yaml", "--source", "x", "--output", "y")]
    [InlineData("Unrecognized command or argument", "runn")]
    [InlineData("Required argument missing", "run")]
    [InlineData("There is no store", "storage", "verify", "--store", "y")]
    [InlineData("There is no store", "storage", "gc", "--store", "y")]
    [InlineData("There is no store", "storage", "verify", "--store", "")]
    public async Task Bad_input_is_one_clear_message_and_exit_code_2(string message, params string[] arguments)
    {
        File.WriteAllBytes(In("torn.pt"), [0x80, 2, (byte)'}', (byte)'q']);
        string[] inFolder = [.. arguments.Select(argument => IsFile(argument) ? In(argument) : argument)];
        await CheckRefusedAsync(message, inFolder);

        static bool IsFile(string argument) => argument.Contains('.', StringComparison.Ordinal) || argument == "y";
    }

    [Theory]
    [InlineData("There is no architecture 'resnet9'", "phantom:cells", "resnet9")]
    [InlineData("There is no phantom 'cats'", "phantom:cats", "resnet20")]
    [InlineData("'/' is a folder; name a file in it", "phantom:cells", "resnet20", "--output", "/")]
    [InlineData("--epochs is -1; it must be from 1 to 100000.", "phantom:cells", "resnet20", "--epochs", "-1")]
    [InlineData(
        """
        --batch-size is 2147483647; it must be from 2 to 65536.
        --learning-rate is NaN; it must be from 0 to 100.
        --threads is 0; it must be from 1 to 1024.
        --device is 'gpu'
        """,
        "phantom:cells",
        "resnet20",
        "--batch-size",
        "2147483647",
        "--learning-rate",
        "NaN",
        "--threads",
        "0",
        "--device",
        "gpu")]
    public async Task Bad_input_of_a_pretraining_is_refused_likewise(
        string message,
        string data,
        string architecture,
        params string[] options)
    {
        string[] output = options.Contains("--output") ? [] : ["--output", In("y")];
        await CheckRefusedAsync(message, ["pretrain", "--data", data, "--architecture", architecture, .. options, .. output]);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_to_is_reported_before_anything_is_computed()
    {
        File.WriteAllText(In("file"), "");
        var (code, _, error) = await RunSpecificationAsync("--output", In("file/out"));
        Assert.Equal(ExitCodes.BadInput, code);
        Assert.Contains("The output folder", error, StringComparison.Ordinal);
        Assert.DoesNotContain("trial 1", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lost_intermediate_output_is_recomputed_for_the_export()
    {
        var (_, first, firstError) = await RunSpecificationAsync("--json");
        Assert.True(first.Length > 0, firstError);
        foreach (var stage in Directory.GetFiles(In("store/stages")).Where(IsKernelWeightStage)) File.Delete(stage);

        var (code, again, error) = await RunSpecificationAsync("--output", In("out"), "--json");
        Assert.True(code == ExitCodes.Done, error);
        Assert.Equal(first, again);
        Assert.True(File.Exists(In("out/medmerge/seed-0/weighing.json")));

        static bool IsKernelWeightStage(string file) =>
            File.ReadAllText(file).Contains("\"stage\":\"weigh\"", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_device_is_reported_before_any_folder_is_created()
    {
        TorchRuntime.Start();
        if (TorchSharp.torch.cuda.is_available()) Assert.Skip("This machine has CUDA.");
        File.AppendAllText(In("spec.yaml"), "\ndevice: cuda:0");
        var (code, _, error) = await RunSpecificationAsync("--output", In("out"));
        Assert.Equal(ExitCodes.BadInput, code);
        Assert.Contains("asks for CUDA", error, StringComparison.Ordinal);

        var (pretrained, _, pretrainError) = await PretrainAsync("--device", "cuda:0", "--output", In("out/y"));
        Assert.Equal(ExitCodes.BadInput, pretrained);
        Assert.Contains("asks for CUDA", pretrainError, StringComparison.Ordinal);
        Assert.Equal(["spec.yaml"], Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("sources/a.safetensors", null)]
    [InlineData("medmerge/seed-0/mine.txt", "{}")]
    [InlineData("medmerge/mine.txt", "no JSON")]
    public async Task An_output_folder_with_other_files_is_refused_and_left_alone(string file, string? results)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(In("out/" + file))!);
        File.WriteAllText(In("out/" + file), "mine");
        if (results is not null) File.WriteAllText(In("out/results.json"), results);
        var (code, _, error) = await RunSpecificationAsync("--output", In("out"));
        Assert.Equal(ExitCodes.BadInput, code);
        Assert.Contains("no results.json of a run beside it", error, StringComparison.Ordinal);
        Assert.Equal("mine", File.ReadAllText(In("out/" + file)));
        Assert.False(Directory.Exists(In("store")));
    }

    [Fact]
    public async Task Inspect_lists_types_that_it_cannot_read_and_recognises_kernel_weights_by_more_than_names()
    {
        const string header = """
            {
              "alpha.x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
              "w": {"dtype": "F8_E5M2", "shape": [2, 2], "data_offsets": [4, 8]}
            }
            """;
        byte[] content = [.. BitConverter.GetBytes((long)header.Length), .. Encoding.UTF8.GetBytes(header), .. new byte[8]];
        File.WriteAllBytes(In("f8.safetensors"), content);
        var (code, output, error) = await RunAsync("inspect", In("f8.safetensors"));
        Assert.True(code == ExitCodes.Done, error);
        Assert.Contains("2 tensors, 5 values", output, StringComparison.Ordinal);
        Assert.Matches(@"w +\| F8_E5M2 +\| \[2, 2\]", output);
        var (_, json, _) = await RunAsync("inspect", In("f8.safetensors"), "--json");
        using var document = JsonDocument.Parse(json);
        Assert.Equal("F8_E5M2", document.RootElement.GetProperty("tensors")[1].GetProperty("type").GetString());
    }

    private string In(string name) => Path.Combine(_folder, name);

    private IEnumerable<string?> GetFileNames(string folder) =>
        Directory.GetFileSystemEntries(In(folder)).Select(Path.GetFileName).Order();

    private Task<(int Code, string Output, string Error)> RunSpecificationAsync(params string[] options) =>
        RunAsync(["run", In("spec.yaml"), "--store", In("store"), .. options]);

    private Task<(int Code, string Output, string Error)> PretrainAsync(params string[] options) =>
        RunAsync(["pretrain", "--data", "phantom:cells", "--architecture", "resnet20", "--store", In("store"), .. options]);

    private Task<(int Code, string Output, string Error)> MergeAsync(string sourceB, string target) => RunAsync(
        "merge",
        In("out/medmerge/seed-1/kernel-weights.safetensors"),
        "--source",
        $"b={In($"out/sources/{sourceB}.safetensors")}",
        "--source",
        $"a={In("out/sources/a.safetensors")}",
        "--output",
        In(target));

    private async Task CheckRefusedAsync(string message, string[] arguments)
    {
        var (code, output, error) = await RunAsync(arguments);
        Assert.Equal(ExitCodes.BadInput, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error + output, StringComparison.Ordinal);
        Assert.False(Path.Exists(In("y")));
    }

    private static Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments) =>
        CommandOutput.OfAsync((output, error) => MedMergeCommand.RunAsync(arguments, output, error));
}
