using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using MedMerge.Testing;

namespace MedMerge.Cli.Tests;

/// <summary>
/// The command as a .NET tool: packed as it was built, installed from that package, and run from where it was
/// installed.
/// </summary>
public sealed class ToolTests : IDisposable
{
    private const string Library = "libtorch_cpu.so";
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-tool-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Packed_and_installed_it_is_medmerge_and_loads_libtorch_only_where_tensors_are_read()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("libtorch's library has another name on this system.");
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

        // Compiling ahead of time is left out: it takes long and changes nothing but the time that a start takes.
        var project = Repository.PathTo("src/MedMerge.Cli");
        await DotnetAsync("pack", project, "-c", configuration, "--no-build", "-p:PublishReadyToRun=false", "-o", In("packages"));
        await DotnetAsync("tool", "install", "MedMerge.Tool", "--source", In("packages"), "--tool-path", In("tool"));

        var (code, output, error) = await RunAsync(In("tool/medmerge"), "--help");
        Assert.True(code == ExitCodes.Done, error);
        Assert.Contains("\n  medmerge [command] [options]", output, StringComparison.Ordinal);

        File.WriteAllBytes(In("four.safetensors"), FourValues());
        (code, output, error) = await RunAsync(In("tool/medmerge"), "inspect", In("four.safetensors"));
        Assert.True(code == ExitCodes.Done, error);
        Assert.Contains("2.739", output, StringComparison.Ordinal); // the root of (1 + 4 + 9 + 16) / 4

        File.Delete(Directory.GetFiles(In("tool"), Library, SearchOption.AllDirectories).Single());
        (code, _, error) = await RunAsync(In("tool/medmerge"), "inspect", In("four.safetensors"));
        Assert.Equal(ExitCodes.Failed, code);
        Assert.Contains(Library, error, StringComparison.Ordinal);
        var quickstart = Repository.PathTo("examples/quickstart.yaml");
        (code, output, error) = await RunAsync(In("tool/medmerge"), "run", "--dry-run", quickstart, "--store", In("store"));
        Assert.True(code == ExitCodes.Done, error);
        Assert.Contains("100 % of the work is left to do", output, StringComparison.Ordinal);
    }

    /// <summary>A safetensors file of one tensor: 1, 2, 3, 4.</summary>
    private static byte[] FourValues()
    {
        var header = Encoding.UTF8.GetBytes("""{"four":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}""");
        var file = new byte[8 + header.Length + 16];
        BinaryPrimitives.WriteInt64LittleEndian(file, header.Length);
        header.CopyTo(file, 8);
        for (var i = 0; i < 4; i++) BinaryPrimitives.WriteSingleLittleEndian(file.AsSpan(8 + header.Length + (4 * i)), i + 1);
        return file;
    }

    private string In(string name) => Path.Combine(_folder, name);

    private async Task DotnetAsync(params string[] arguments)
    {
        var (code, output, error) = await RunAsync("dotnet", arguments);
        Assert.True(code == 0, $"dotnet {string.Join(' ', arguments)} returned {code}: {output} {error}");
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(string program, params string[] arguments)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(Deadline);
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(deadline.Token);
        var error = process.StandardError.ReadToEndAsync(deadline.Token);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
            return (process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }
}
