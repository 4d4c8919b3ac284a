using Azure.Data.Tables;
using Azure.Identity;
using MedMerge.Grains;
using MedMerge.Storage;
using Microsoft.Extensions.Configuration;
using Orleans.Clustering.AzureStorage;

namespace MedMerge.Clustering;

/// <summary>
/// The membership table: silos enter themselves and gateways find them. It is in the tables of the storage account that holds the
/// blobs, so one connection is all that a cluster needs.
/// </summary>
public static class ClusterTable
{
    /// <summary>Orleans' name for membership in Azure tables, as <c>Orleans__Clustering__ProviderType</c> has it.</summary>
    public const string Provider = "AzureTableStorage";

    private const string ProviderKey = "Orleans:Clustering:ProviderType";
    private const string ServiceKey = "Orleans:Clustering:ServiceKey";
    private const string BlobHost = ".blob.";
    private const string TableHost = ".table.";

    /// <summary>Membership decides within seconds: a request that hangs is given up well before Azure's default of 100 s.</summary>
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(3);

    /// <summary>Orleans asks again by itself; a few quick retries keep one lost packet from counting as a failure.</summary>
    private const int MaxRetries = 2;

    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);

    /// <summary>Makes this table the provider where the configuration names none, and the blobs' account the one that it is in.</summary>
    public static void AddClusterTableDefaults(this IConfigurationManager configuration)
    {
        if (string.IsNullOrEmpty(configuration[ProviderKey])) configuration[ProviderKey] = Provider;
        if (IsChosen(configuration) && string.IsNullOrEmpty(configuration[ServiceKey])) configuration[ServiceKey] = ClusterNames.Blobs;
    }

    /// <summary>Whether the configuration chooses this table and not, say, a fixed list of gateways.</summary>
    public static bool IsChosen(IConfiguration configuration) => configuration[ProviderKey] == Provider;

    /// <summary>The key by which Orleans asks for the client: the name of the connection.</summary>
    public static string ConnectionName(IConfiguration configuration) => configuration[ServiceKey] ?? ClusterNames.Blobs;

    /// <summary>A client of the table service, which has not been reached yet.</summary>
    /// <exception cref="InputException">The connection is not set, can't be understood or does not say where the tables are.</exception>
    public static TableServiceClient Connect(IConfiguration configuration)
    {
        var name = ConnectionName(configuration);
        var connection = configuration.GetConnectionString(name);
        if (string.IsNullOrEmpty(connection))
        {
            throw new InputException($"ConnectionStrings__{name} is not set: "
                + "the storage account in whose tables the nodes of a cluster find each other. See docs/operations.md.");
        }
        return Connect(connection, name);
    }

    /// <summary>Makes Orleans' table where it is missing, which shows that the service answers and lets this process in.</summary>
    public static async Task EnsureExistsAsync(TableServiceClient tables, CancellationToken cancellation) =>
        await tables.CreateTableIfNotExistsAsync(AzureStorageClusteringOptions.DEFAULT_TABLE_NAME, cancellation).ConfigureAwait(false);

    /// <summary>The address of an account's tables, given that of its blobs: the hosts differ in one label.</summary>
    /// <exception cref="InputException">The address is not of the usual form.</exception>
    private static Uri TableAddress(Uri blobs, string name)
    {
        var at = blobs.Host.IndexOf(BlobHost, StringComparison.OrdinalIgnoreCase);
        if (at < 0)
        {
            throw new InputException($"ConnectionStrings__{name} names the blobs at {blobs.Host}, which does not say where the tables are: "
                + "give the account's own address (https://ACCOUNT.blob.core.windows.net), "
                + "or a connection string with BlobEndpoint and TableEndpoint.");
        }
        var host = string.Concat(blobs.Host.AsSpan(0, at), TableHost, blobs.Host.AsSpan(at + BlobHost.Length));
        return new UriBuilder(blobs) { Host = host, Path = "/" }.Uri;
    }

    private static TableServiceClient Connect(string connection, string name)
    {
        var account = StorageConnection.Parse(connection);
        var options = new TableClientOptions
        {
            Retry =
            {
                MaxRetries = MaxRetries,
                Delay = RetryDelay,
                NetworkTimeout = RequestTimeout,
            },
        };
        if (account.Address is { } blobs) return new TableServiceClient(TableAddress(blobs, name), new DefaultAzureCredential(), options);
        if (NamesBlobsOnly(account.ConnectionString))
        {
            throw new InputException($"ConnectionStrings__{name} has a BlobEndpoint and no TableEndpoint: "
                + "the nodes of a cluster find each other in a table.");
        }
        try
        {
            return new TableServiceClient(account.ConnectionString, options);
        }
        catch (Exception error) when (error is FormatException or ArgumentException or InvalidOperationException)
        {
            throw new InputException($"ConnectionStrings__{name} can't be understood: {error.Message}", error);
        }
    }

    /// <summary>The SDK would fall back to the public cloud's tables for an account that lives elsewhere.</summary>
    private static bool NamesBlobsOnly(string connectionString) =>
        connectionString.Contains("BlobEndpoint=", StringComparison.OrdinalIgnoreCase)
        && !connectionString.Contains("TableEndpoint=", StringComparison.OrdinalIgnoreCase);
}
