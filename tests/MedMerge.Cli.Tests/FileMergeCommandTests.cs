using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using MedMerge.Merging.Files;
using MedMerge.Storage;
using MedMerge.Tensors;
using MedMerge.Testing;

namespace MedMerge.Cli.Tests;

/// <summary><c>medmerge average</c> and <c>medmerge slerp</c>.</summary>
public sealed class FileMergeCommandTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-files-").FullName;

    public FileMergeCommandTests()
    {
        Write("a", [1, 2]);
        Write("b", [3, 6]);
        Write("other", [1, 2, 3]);
        File.WriteAllText(In("text"), "text");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("2 4", "average", "a", "b")]
    [InlineData("2 4", "soup", "a", "b")]
    [InlineData("2.5 5", "average", "a", "b", "--weights", "0.5,1.5")]
    [InlineData("1.4 2.8", "slerp", "a", "b", "--t", "0.2")] // parallel, so linear
    public async Task Files_are_merged(string expected, params string[] arguments)
    {
        var (code, output, error) = await RunAsync([.. arguments, "--output", "out"]);

        Assert.True(code == ExitCodes.Done, error);
        Assert.Contains("Merged 2 files of 1 tensors into ", output, StringComparison.Ordinal);
        var values = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(In("out")).AsSpan(^8..)).ToArray();
        Assert.Equal(expected, string.Join(' ', values.Select(value => value.ToString("R", CultureInfo.InvariantCulture))));
    }

    [Theory]
    [InlineData("needs at least 2 files; there is 1", "average", "a")]
    [InlineData("There is no weight file", "average", "a", "missing")]
    [InlineData("is a folder, not a weight file", "average", "a", ".")]
    [InlineData("is a text file; a weight file is a safetensors file, a PyTorch checkpoint or an ONNX model", "slerp", "a", "text")]
    [InlineData("'x' is [3], not [2]", "average", "a", "other")]
    [InlineData("--weights has 3 numbers for 2 files.", "average", "a", "b", "--weights", "1,2,3")]
    [InlineData("must be numbers with commas between them", "average", "a", "b", "--weights", "1,x")]
    [InlineData("must be numbers of 0 or more", "average", "a", "b", "--weights", "1,-1")]
    [InlineData("--t is 1.5; it must be from 0 to 1.", "slerp", "a", "b", "--t", "1.5")]
    [InlineData("--t is NaN; it must be from 0 to 1.", "slerp", "a", "b", "--t", "NaN")]
    [InlineData("is one of the files that are merged", "average", "a", "y")]
    [InlineData("Unrecognized command or argument", "slerp", "a", "b", "other")]
    public async Task Bad_input_is_one_clear_message_and_exit_code_2(string message, params string[] arguments)
    {
        var (code, output, error) = await RunAsync([.. arguments, "--output", "y"]);

        Assert.Equal(ExitCodes.BadInput, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error + output, StringComparison.Ordinal);
        Assert.Equal(["a", "b", "other", "text"], GetFileNames());
    }

    [Fact]
    public async Task An_interrupted_merge_leaves_the_output_as_it_was()
    {
        File.WriteAllText(In("out"), "before");
        using var interrupted = new CancellationTokenSource();
        using var merger = new WeightFileMerger([In("a"), In("b")], new Interrupting(interrupted));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => AtomicFile.WriteAsync(
            In("out"),
            file => merger.WriteAsync(file.SafeFileHandle, threads: 2, interrupted.Token),
            overwrite: true));

        Assert.Equal("before", File.ReadAllText(In("out")));
        Assert.Equal(["a", "b", "other", "out", "text"], GetFileNames());
    }

    /// <summary>The loader's own list of what it opened (ld.so(8)).</summary>
    [Theory]
    [InlineData(false, "average", "a", "b", "--output", "out")]
    [InlineData(false, "slerp", "a", "b", "--output", "out")]
    [InlineData(true, "inspect", "a")]
    public async Task No_libtorch_is_loaded(bool isLoaded, params string[] arguments)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems' loaders don't tell.");
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(Deadline);
        var start = new ProcessStartInfo("dotnet", [Repository.Program("MedMerge.Cli"), .. arguments])
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["LD_DEBUG"] = "files" },
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(deadline.Token);
        var loaded = await process.StandardError.ReadToEndAsync(deadline.Token);
        await process.WaitForExitAsync(deadline.Token);

        Assert.True(process.ExitCode == ExitCodes.Done, await output);
        Assert.Contains("libcoreclr.so", loaded, StringComparison.Ordinal);
        Assert.Equal(isLoaded, loaded.Contains("libtorch", StringComparison.Ordinal));
    }

    private void Write(string name, float[] values)
    {
        var header = SafetensorsHeader.Write([("x", ElementType.Named("F32")!, [values.Length])], metadata: null);
        File.WriteAllBytes(In(name), [.. header, .. MemoryMarshal.AsBytes<float>(values)]);
    }

    private string In(string name) => Path.Combine(_folder, name);

    private IEnumerable<string?> GetFileNames() => Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName).Order();

    /// <summary>Takes arguments in lower-case letters, but for the command, as files of the folder.</summary>
    private Task<(int Code, string Output, string Error)> RunAsync(string[] arguments)
    {
        string[] inFolder = [arguments[0], .. arguments.Skip(1).Select(argument => argument.All(IsOfPath) ? In(argument) : argument)];
        return CommandOutput.OfAsync((output, error) => MedMergeCommand.RunAsync(inFolder, output, error));

        static bool IsOfPath(char c) => char.IsAsciiLetterLower(c) || c == '.';
    }

    private sealed record Interrupting(CancellationTokenSource Source) : FileCombination
    {
        public override string Command => "interrupted";

        public override IReadOnlyList<double> GetCoefficients(SourceTensors tensor)
        {
            Source.Cancel();
            return [1, 1];
        }

        public override void Describe(JsonObject record)
        {
        }
    }
}
