using System.Diagnostics;
using MedMerge.Testing;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace MedMerge.Cli.Tests;

/// <summary>A real process that reads images from a list, killed at random moments: while it reads, computes or writes.</summary>
public sealed class KillTests : IDisposable
{
    private const int Kills = 20;
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(10);
    private static readonly string Command = Path.Combine(AppContext.BaseDirectory, "MedMerge.Cli.dll");
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-kill-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_run_that_is_killed_at_twenty_random_moments_gives_the_same_result_and_leaves_nothing_half_written()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("Windows has no kill -9.");
        WriteImages();
        var seed = new Random().Next();
        var random = new Random(seed);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(Deadline);
        var start = Stopwatch.GetTimestamp();
        var (code, undisturbed, error) = await RunAsync("undisturbed", killAfter: null, deadline.Token);
        var whole = Stopwatch.GetElapsedTime(start);
        Assert.True(code == 0, error);

        var (kills, early, late) = (0, 0, 0);
        while (kills < Kills)
        {
            // Up to most of a whole run's time, and the first ones sooner: kills hit its start, the reading of images, and the stages.
            var before = CountStages();
            var share = kills < Kills / 4 ? 0.2 : 0.8;
            (code, var result, error) = await RunAsync("store", whole * random.NextDouble() * share, deadline.Token);
            Assert.True(code is 0 or 137, $"seed {seed}, after {kills} kills: exit code {code}: {error}");
            if (code == 137) kills++;
            if (code == 137 && CountStages() == before) early++;
            if (code == 137 && CountStages() > before) late++;
            if (code != 0) continue;
            Assert.Equal(undisturbed, result);
            Directory.Delete(In("store"), recursive: true);
            Directory.Delete(In("store-out"), recursive: true);
        }
        (code, var last, error) = await RunAsync("store", killAfter: null, deadline.Token);

        Assert.True(code == 0, $"seed {seed}: {error}");
        Assert.Equal(undisturbed, last);
        Assert.Equal(ReadExported("undisturbed"), ReadExported("store"));
        Assert.True(early > 0, $"seed {seed}: none of {kills} kills came before a stage was stored.");
        Assert.True(late > 0, $"seed {seed}: none of {kills} kills came after a stage was stored.");
        string[] verify = ["storage", "verify", "--store", In("store")];
        (code, var verified, error) = await ExecuteAsync(verify, killAfter: null, deadline.Token);
        Assert.True(code == 0, $"seed {seed}: {verified}{error}");
    }

    private string In(string name) => Path.Combine(_folder, name);

    /// <summary>The names and hashes of the files that a run has exported.</summary>
    private List<string> ReadExported(string store)
    {
        var folder = In($"{store}-out");
        var files = Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToList();
        Assert.Contains(files, file => file.EndsWith("model.safetensors", StringComparison.Ordinal));
        return [.. files.Select(file => $"{Path.GetRelativePath(folder, file)} {ContentHash.Of(File.ReadAllBytes(file))}")];
    }

    private int CountStages()
    {
        var folder = In("store/stages");
        return Directory.Exists(folder) ? Directory.GetFiles(folder).Length : 0;
    }

    private void WriteImages()
    {
        var random = new Random(1);
        var lines = new List<string> { "image,label,patient,sample_weight" };
        for (var i = 0; i < 400; i++)
        {
            using var image = new Image<L8>(40, 32);
            for (var y = 0; y < image.Height; y++)
                for (var x = 0; x < image.Width; x++) image[x, y] = new L8((byte)random.Next(60 + (i % 2 * 20), 200));
            image.Save(In($"{i}.png"));
            lines.Add($"{i}.png,{i % 2},{i / 3},{1 + (i % 3)}");
        }
        File.WriteAllLines(In("list.csv"), lines);
        var builder = new SpecificationBuilder { Methods = "[medmerge, lp-ft]", Seeds = 3, SourceImages = 48 }.WithEpochs(2);
        var yaml = builder.Yaml.Replace(
            "{ data: 'phantom:lesions', trainImages: 24 }",
            "{ data: list.csv, size: 24, trainImages: 64 }",
            StringComparison.Ordinal);
        Assert.Contains("list.csv", yaml, StringComparison.Ordinal);
        File.WriteAllText(In("spec.yaml"), yaml);
    }

    private Task<(int Code, string Output, string Error)> RunAsync(string store, TimeSpan? killAfter, CancellationToken cancellation)
    {
        string[] arguments = ["run", In("spec.yaml"), "--store", In(store), "--output", In($"{store}-out"), "--json"];
        return ExecuteAsync(arguments, killAfter, cancellation);
    }

    private static async Task<(int Code, string Output, string Error)> ExecuteAsync(
        IEnumerable<string> arguments,
        TimeSpan? killAfter,
        CancellationToken cancellation)
    {
        var start = new ProcessStartInfo("dotnet", [Command, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancellation);
        var error = process.StandardError.ReadToEndAsync(cancellation);
        var end = process.WaitForExitAsync(cancellation);
        try
        {
            if (killAfter is { } time)
            {
                await Task.WhenAny(end, Task.Delay(time, cancellation));
                if (!process.HasExited) process.Kill();
            }
            await end;
            return (process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }
}
