using System.Diagnostics;
using Azure.Storage.Blobs;

[assembly: AssemblyFixture(typeof(MedMerge.Storage.Tests.AzuriteServer))]

namespace MedMerge.Storage.Tests;

/// <summary>A real blob service for all tests of this assembly: Azurite, from the package.json beside them, on a free port.</summary>
public sealed class AzuriteServer : IAsyncLifetime
{
    /// <summary>Azurite's published development account.</summary>
    private const string Account = "devstoreaccount1";
    private const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
    private static readonly TimeSpan StartDeadline = TimeSpan.FromMinutes(1);

    private Process? _process;
    private string? _missing;

    public Uri Address { get; private set; } = new("http://127.0.0.1:1");

    /// <summary>Where Azurite can't run, the test is skipped and says why.</summary>
    public void SkipWhereMissing()
    {
        if (_missing is not null) Assert.Skip(_missing);
    }

    /// <summary>A container of its own for one test; skips the test where Azurite is not installed.</summary>
    public Task<AzureBlobStore> OpenAsync(Uri? through = null)
    {
        SkipWhereMissing();
        return AzureBlobStore.OpenAsync(ConnectionString(through ?? Address), "test-" + Guid.NewGuid().ToString("N"), Options(), TestContext.Current.CancellationToken);
    }

    public static string ConnectionString(Uri address) =>
        $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};BlobEndpoint={address}{Account};";

    /// <summary>Short back-off, so that a test of faults ends soon.</summary>
    public static BlobClientOptions Options() => new()
    {
        Retry = { MaxRetries = 8, Delay = TimeSpan.FromMilliseconds(10), MaxDelay = TimeSpan.FromMilliseconds(200), NetworkTimeout = TimeSpan.FromSeconds(5) },
    };

    public async ValueTask InitializeAsync()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "MedMerge.Distributed.sln"))) folder = folder.Parent!;
        var program = Path.Combine(folder.FullName, "tests", "MedMerge.Storage.Tests", "node_modules", ".bin", "azurite-blob");
        if (!File.Exists(program))
        {
            _missing = "Azurite is not installed: npm ci --prefix tests/MedMerge.Storage.Tests";
            return;
        }
        string[] arguments = ["--skipApiVersionCheck", "--inMemoryPersistence", "--disableTelemetry", "--silent", "--blobHost", "127.0.0.1", "--blobPort", "0"];
        _process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        using var deadline = new CancellationTokenSource(StartDeadline);
        const string listens = "successfully listens on ";
        while (await _process.StandardOutput.ReadLineAsync(deadline.Token) is { } line)
        {
            if (!line.Contains(listens, StringComparison.Ordinal)) continue;
            Address = new Uri(line[(line.IndexOf(listens, StringComparison.Ordinal) + listens.Length)..].Trim() + "/");
            _ = _process.StandardOutput.ReadToEndAsync(CancellationToken.None); // keep its pipe empty
            return;
        }
        throw new InvalidOperationException("Azurite did not start: " + await _process.StandardError.ReadToEndAsync(deadline.Token));
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is null) return;
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
