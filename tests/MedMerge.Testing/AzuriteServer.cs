using System.Diagnostics;
using Azure.Storage.Blobs;
using MedMerge.Storage;

namespace MedMerge.Testing;

/// <summary>
/// A real storage account for all tests of an assembly: Azurite, from the package.json of MedMerge.Storage.Tests, on free
/// ports.
/// </summary>
public sealed class AzuriteServer : IAsyncLifetime
{
    /// <summary>Azurite's published development account.</summary>
    private const string Account = "devstoreaccount1";

    private const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    private const string Listening = "successfully listening at ";
    private static readonly TimeSpan StartDeadline = TimeSpan.FromMinutes(1);

    private readonly string? _folder;
    private Process? _process;
    private string? _missing;

    /// <summary>In memory.</summary>
    public AzuriteServer()
    {
    }

    private AzuriteServer(string folder) => _folder = folder;

    /// <summary>A server that keeps everything in a folder, so that it may be killed and started again.</summary>
    public static async Task<AzuriteServer> StartInAsync(string folder)
    {
        var server = new AzuriteServer(folder);
        await server.InitializeAsync();
        return server;
    }

    /// <summary>The blob service.</summary>
    public Uri Address { get; private set; } = new("http://127.0.0.1:1");

    /// <summary>The table service.</summary>
    public Uri Tables { get; private set; } = new("http://127.0.0.1:1");

    /// <summary>Where Azurite can't run, the test is skipped and says why.</summary>
    public void SkipWhereMissing()
    {
        if (_missing is not null) Assert.Skip(_missing);
    }

    /// <summary>A container of its own for one test; skips the test where Azurite is not installed.</summary>
    public Task<AzureBlobStore> OpenAsync(Uri? through = null)
    {
        SkipWhereMissing();
        var container = "test-" + Guid.NewGuid().ToString("N");
        return AzureBlobStore.OpenAsync(ConnectionString(through ?? Address), container, Options(), TestContext.Current.CancellationToken);
    }

    public static string ConnectionString(Uri blobs, Uri? tables = null) =>
        $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};BlobEndpoint={blobs}{Account};"
        + (tables is null ? "" : $"TableEndpoint={tables}{Account};");

    /// <summary>Short back-off, so that a test of faults ends soon.</summary>
    public static BlobClientOptions Options() => new()
    {
        Retry =
        {
            MaxRetries = 8,
            Delay = TimeSpan.FromMilliseconds(10),
            MaxDelay = TimeSpan.FromMilliseconds(200),
            NetworkTimeout = TimeSpan.FromSeconds(5),
        },
    };

    public async ValueTask InitializeAsync()
    {
        var program = Repository.PathTo("tests/MedMerge.Storage.Tests/node_modules/.bin/azurite");
        if (!File.Exists(program))
        {
            _missing = "Azurite is not installed: npm ci --prefix tests/MedMerge.Storage.Tests";
            return;
        }
        // Started again it is where it was.
        string[] arguments =
        [
            "--skipApiVersionCheck",
            .. _folder is null ? ["--inMemoryPersistence"] : new[] { "--location", _folder },
            "--disableTelemetry",
            "--silent",
            "--blobPort", $"{PortOf(Address)}",
            "--queuePort", "0",
            "--tablePort", $"{PortOf(Tables)}",
        ];
        _process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = _process.StandardError.ReadToEndAsync(CancellationToken.None); // a full pipe would stop it
        using var deadline = new CancellationTokenSource(StartDeadline);
        while (await _process.StandardOutput.ReadLineAsync(deadline.Token) is { } line)
        {
            if (!line.Contains(Listening, StringComparison.Ordinal)) continue;
            var address = new Uri(line[(line.IndexOf(Listening, StringComparison.Ordinal) + Listening.Length)..].Trim() + "/");
            if (line.Contains("Blob", StringComparison.Ordinal)) Address = address;
            if (!line.Contains("Table", StringComparison.Ordinal)) continue; // the last to start
            Tables = address;
            _ = _process.StandardOutput.ReadToEndAsync(CancellationToken.None); // keep its pipe empty
            return;
        }
        throw new InvalidOperationException("Azurite did not start: " + await errors.WaitAsync(deadline.Token));
    }

    /// <summary>0, for any, before it was started.</summary>
    private static int PortOf(Uri address) => address.Port == 1 ? 0 : address.Port;

    /// <summary>kill -9, and a new process in the same folder and on the same ports.</summary>
    public async Task RestartAsync()
    {
        await DisposeAsync();
        await InitializeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is null) return;
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
