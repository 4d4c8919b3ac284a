using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MedMerge.AppHost;

/// <summary>The cluster's storage account as an executable on this machine, without a container engine.</summary>
internal static class Stores
{
    private const string Tcp = "tcp";
    private const string Blobs = "blobs";
    private const string Tables = "tables";
    private const string ExpectedAnswer = "HTTP/1";

    /// <summary>Azurite's published development account.</summary>
    private const string Account = "devstoreaccount1";

    private const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(2);

    /// <summary>A storage account with blobs and tables: Azurite, from npm.</summary>
    /// <param name="folder">Where its data is kept.</param>
    public static IResourceBuilder<IResourceWithConnectionString> AddAzurite(
        this IDistributedApplicationBuilder builder,
        string name,
        string folder)
    {
        var azurite = builder
            .AddExecutable("azurite", "npx", "..", "--yes", "--package", "azurite@3.37.0", "azurite")
            .WithArgs("--skipApiVersionCheck", "--silent", "--disableTelemetry")
            .WithArgs("--location", folder)
            .WithArgs("--queuePort", "0") // queues are not used
            .WithEndpoint(scheme: Tcp, name: Blobs)
            .WithEndpoint(scheme: Tcp, name: Tables);
        var blobs = azurite.GetEndpoint(Blobs);
        var tables = azurite.GetEndpoint(Tables);
        azurite.WithArgs("--blobPort", blobs.Property(EndpointProperty.TargetPort));
        azurite.WithArgs("--tablePort", tables.Property(EndpointProperty.TargetPort));
        builder.AddCheck(azurite, blobs);
        builder.AddCheck(azurite, tables);
        var account = ReferenceExpression.Create($"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};");
        var endpoints = ReferenceExpression.Create($"BlobEndpoint={Address(blobs)};TableEndpoint={Address(tables)};");
        return builder.AddConnectionString(name, ReferenceExpression.Create($"{account}{endpoints}")).WaitFor(azurite);
    }

    private static ReferenceExpression Address(EndpointReference endpoint) => ReferenceExpression.Create(
        $"http://{endpoint.Property(EndpointProperty.IPV4Host)}:{endpoint.Property(EndpointProperty.Port)}/{Account}");

    /// <summary>
    /// Marks a server healthy once it answers HTTP on the endpoint. A connection alone proves nothing: the
    /// orchestrator's proxy accepts it before the server does.
    /// </summary>
    private static void AddCheck(
        this IDistributedApplicationBuilder builder,
        IResourceBuilder<ExecutableResource> server,
        EndpointReference endpoint)
    {
        var key = $"{server.Resource.Name}-{endpoint.EndpointName}-answers";
        builder.Services.AddHealthChecks().AddAsyncCheck(key, cancellation => CheckAsync(endpoint, cancellation));
        server.WithHealthCheck(key);
    }

    private static async Task<HealthCheckResult> CheckAsync(EndpointReference endpoint, CancellationToken cancellation)
    {
        try
        {
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            deadline.CancelAfter(AnswerTimeout);
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", endpoint.Port, deadline.Token);
            var stream = client.GetStream();
            await stream.WriteAsync("GET / HTTP/1.0\r\n\r\n"u8.ToArray(), deadline.Token);
            var received = new byte[ExpectedAnswer.Length];
            await stream.ReadExactlyAsync(received, deadline.Token);
            return Encoding.ASCII.GetString(received) == ExpectedAnswer
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Unhealthy("Another server answers on this port.");
        }
        catch (Exception exception) when (exception
            is SocketException
            or IOException
            or InvalidOperationException
            or OperationCanceledException)
        {
            return HealthCheckResult.Unhealthy("The server does not answer.", exception);
        }
    }
}
