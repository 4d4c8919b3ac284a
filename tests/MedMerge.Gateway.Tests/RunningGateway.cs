using System.Security.Cryptography;
using System.Text;
using MedMerge.Grains.Hosting;
using MedMerge.Storage;
using MedMerge.Testing;
using Microsoft.AspNetCore.Builder;

namespace MedMerge.Gateway.Tests;

/// <summary>
/// A gateway with an API key on a free port of loopback, and a cluster of one node. Both run in this process and share a folder.
/// </summary>
public sealed class RunningGateway : IAsyncLifetime
{
    /// <summary>The API key.</summary>
    public const string Key = "correct-horse-battery-staple";

    /// <summary>Another user's.</summary>
    public const string OtherKey = "wrong-mule-charger-clip";

    private LocalCluster? _cluster;
    private WebApplication? _app;

    /// <summary>The folder of the store and of files that tests write.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("medmerge-gateway-").FullName;

    /// <summary>The gateway's address.</summary>
    public Uri Address => new(_app!.Urls.Single());

    /// <summary>A client with the API key.</summary>
    public HttpClient Client { get; private set; } = new();

    public async ValueTask InitializeAsync()
    {
        _cluster = await LocalCluster.StartAsync(
            new FolderObjectStore(Store),
            TestDevice.Name,
            log: false,
            TestContext.Current.CancellationToken);
        await StartAsync("http://127.0.0.1:0");
    }

    /// <summary>Replaces the gateway, not the cluster, by a new one at the same address.</summary>
    public async Task RestartAsync()
    {
        var address = Address;
        await _app!.StopAsync(TestContext.Current.CancellationToken);
        await _app.DisposeAsync();
        Client.Dispose();
        await StartAsync(address.ToString());
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (_app is not null) await _app.DisposeAsync();
        if (_cluster is not null) await _cluster.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>Starts a gateway with command-line arguments.</summary>
    public static async Task<WebApplication> LaunchAsync(params string[] arguments)
    {
        var app = GatewayApp.Build([.. arguments, "--Logging:LogLevel:Default=Error"]);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }

    /// <summary>Starts a gateway whose cluster is unreachable.</summary>
    /// <param name="folder">The store's folder.</param>
    public static Task<WebApplication> LaunchWithoutClusterAsync(string folder, params string[] arguments) => LaunchAsync(
    [
        "--urls=http://127.0.0.1:0",
        "--Orleans:Clustering:ProviderType=Static",
        "--Orleans:Clustering:Gateways:0=127.0.0.1:9",
        $"--Store:Folder={folder}",
        .. arguments,
    ]);

    /// <summary>Creates a client without an API key.</summary>
    public static HttpClient CreateClient(WebApplication app) => new() { BaseAddress = new Uri(app.Urls.Single()) };

    /// <summary>A key as the configuration has it.</summary>
    public static string Hash(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    private string Store => Path.Combine(Folder, "store");

    private async Task StartAsync(string address)
    {
        _app = await LaunchAsync(
            $"--urls={address}",
            "--Orleans:Clustering:ProviderType=Static",
            $"--Orleans:Clustering:Gateways:0=127.0.0.1:{_cluster!.GatewayPort}",
            $"--Store:Folder={Store}",
            $"--Authentication:ApiKeys:tests={Hash(Key)}",
            $"--Authentication:ApiKeys:others={Hash(OtherKey)}",
            "--Limits:FileMiB=1");
        Client = CreateClient(_app);
        Client.DefaultRequestHeaders.Add("X-Api-Key", Key);
        await WaitUntilReadyAsync();
    }

    private async Task WaitUntilReadyAsync()
    {
        for (var attempt = 0; ; attempt++)
        {
            using var ready = await Client.GetAsync("/health/ready");
            if (ready.IsSuccessStatusCode) return;
            if (attempt == 100) Assert.Fail(await ready.Content.ReadAsStringAsync());
            await Task.Delay(200);
        }
    }
}
