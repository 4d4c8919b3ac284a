using System.Security.Cryptography;
using MedMerge.Cli.Downloads;
using MedMerge.Data.Catalogue;
using Microsoft.Extensions.Time.Testing;

namespace MedMerge.Cli.Tests.Downloads;

/// <summary>A folder for one file of a catalogue, and a clock that tests need not wait for.</summary>
internal sealed class DownloadFolder : IDisposable
{
    public const int Length = 300_000;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("medmerge-download-");

    public DownloadFolder()
    {
        Content = new byte[Length];
        new Random(1).NextBytes(Content);
        Directory.CreateDirectory(Path.GetDirectoryName(Target)!);
    }

    /// <summary>What the server has.</summary>
    public byte[] Content { get; }

    /// <summary>Advances by itself while a download runs.</summary>
    public FakeTimeProvider Clock { get; } = new();

    /// <summary>What was said of tries that failed.</summary>
    public List<string> Notices { get; } = [];

    /// <summary>The folder of data.</summary>
    public string Root => _folder.FullName;

    /// <summary>The file's final path.</summary>
    public string Target => Path.Combine(Root, "set", "set.npz");

    public string Partial => Target + ".partial";

    /// <summary>All files that there are, by their names.</summary>
    public IEnumerable<string> Files => _folder.EnumerateFiles("*", SearchOption.AllDirectories).Select(file => file.Name).Order();

    public void Dispose() => _folder.Delete(recursive: true);

    /// <param name="content">What the catalogue says that the file holds; what the server has where null.</param>
    /// <param name="isLengthKnown">Whether the catalogue knows the length.</param>
    public CatalogueFile Describe(Uri address, byte[]? content = null, bool isLengthKnown = true) =>
        new("set/set.npz", address, FileHash.Md5(Convert.ToHexStringLower(MD5.HashData(content ?? Content))))
        {
            ImageSize = 28,
            Bytes = isLengthKnown ? Length : null,
            MaxBytes = isLengthKnown ? Length : Length + 1000,
        };

    public async Task GetAsync(
        CatalogueFile file,
        DownloadOptions? options = null,
        Action<long, long?>? progress = null,
        HttpMessageHandler? handler = null,
        CancellationTokenSource? interrupt = null)
    {
        // Time passes a thousand times as fast as on the wall: without a limit that is far away, a slow machine would look stalled.
        options ??= new DownloadOptions { StallTimeout = TimeSpan.FromDays(1) };
        using var downloader = new Downloader(options, Clock, handler);
        var cancellation = interrupt?.Token ?? TestContext.Current.CancellationToken;
        await AdvanceWhileAsync(downloader.GetAsync(file, Target, progress ?? ((_, _) => { }), Notices.Add, cancellation));
    }

    public async Task AdvanceWhileAsync(Task running)
    {
        while (!running.IsCompleted)
        {
            Clock.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(running, Task.Delay(1, TestContext.Current.CancellationToken));
        }
        await running;
    }
}
