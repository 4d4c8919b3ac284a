using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MedMerge.AppHost;

/// <summary>The storage account as an executable on this machine.</summary>
internal static class Stores
{
    private const string Tcp = "tcp";

    /// <summary>Azurite's published development account.</summary>
    private const string Account = "devstoreaccount1";

    private const string Key =
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    private const string Blobs = "blobs";
    private const string Tables = "tables";
    private const string ExpectedAnswer = "HTTP/1";

    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(2);

    /// <summary>A storage account with blobs and tables, from npm; what it holds stays in <c>.medmerge/azurite</c>.</summary>
    public static IResourceBuilder<IResourceWithConnectionString> AddAzurite(this IDistributedApplicationBuilder builder, string name)
    {
        string[] arguments =
        [
            "--yes", "--package", "azurite@3.37.0", "azurite",
            "--skipApiVersionCheck", "--silent", "--disableTelemetry",
            "--location", ".medmerge/azurite",
            "--queuePort", "0", // nobody asks for queues
        ];
        var azurite = builder.AddExecutable("azurite", "npx", "..", arguments)
            .WithEndpoint(scheme: Tcp, name: Blobs)
            .WithEndpoint(scheme: Tcp, name: Tables);
        var blobs = azurite.GetEndpoint(Blobs);
        var tables = azurite.GetEndpoint(Tables);
        azurite.WithArgs(context =>
        {
            context.Args.Add("--blobPort");
            context.Args.Add(blobs.Property(EndpointProperty.TargetPort));
            context.Args.Add("--tablePort");
            context.Args.Add(tables.Property(EndpointProperty.TargetPort));
        });
        builder.AddCheck(azurite, blobs);
        builder.AddCheck(azurite, tables);
        var connection = ReferenceExpression.Create(
            $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};BlobEndpoint={AddressOf(blobs)};TableEndpoint={AddressOf(tables)};");
        return builder.AddConnectionString(name, connection).WaitFor(azurite);
    }

    private static ReferenceExpression AddressOf(EndpointReference endpoint) => ReferenceExpression.Create(
        $"http://{endpoint.Property(EndpointProperty.IPV4Host)}:{endpoint.Property(EndpointProperty.Port)}/{Account}");

    /// <summary>Healthy once the server answers: the port before it is the app host's own, which takes connections before the server does.</summary>
    private static void AddCheck(
        this IDistributedApplicationBuilder builder,
        IResourceBuilder<ExecutableResource> server,
        EndpointReference endpoint)
    {
        var key = $"{server.Resource.Name}-{endpoint.EndpointName}-answers";
        builder.Services.AddHealthChecks().AddAsyncCheck(key, async cancellation =>
        {
            try
            {
                using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
                deadline.CancelAfter(AnswerTimeout);
                using var client = new TcpClient();
                await client.ConnectAsync("127.0.0.1", endpoint.Port, deadline.Token).ConfigureAwait(false);
                var stream = client.GetStream();
                await stream.WriteAsync("GET / HTTP/1.0\r\n\r\n"u8.ToArray(), deadline.Token).ConfigureAwait(false);
                var answer = new byte[ExpectedAnswer.Length];
                await stream.ReadExactlyAsync(answer, deadline.Token).ConfigureAwait(false);
                return Encoding.ASCII.GetString(answer) == ExpectedAnswer
                    ? HealthCheckResult.Healthy()
                    : HealthCheckResult.Unhealthy("Something else answers there.");
            }
            catch (Exception error) when (error is SocketException or IOException or InvalidOperationException or OperationCanceledException)
            {
                return HealthCheckResult.Unhealthy(error.Message);
            }
        });
        server.WithHealthCheck(key);
    }
}
