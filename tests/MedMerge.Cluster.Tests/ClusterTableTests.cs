using MedMerge.Clustering;
using Microsoft.Extensions.Configuration;

namespace MedMerge.Cluster.Tests;

/// <summary>Where the membership table is, as the one connection of a cluster says it.</summary>
public sealed class ClusterTableTests
{
    [Theory]
    [InlineData("https://account.blob.core.windows.net", "https://account.table.core.windows.net/")]
    [InlineData("https://account.z01.blob.storage.azure.net/", "https://account.z01.table.storage.azure.net/")]
    [InlineData("Endpoint=https://account.blob.core.windows.net;ContainerName=mine", "https://account.table.core.windows.net/")]
    [InlineData(
        "DefaultEndpointsProtocol=https;AccountName=account;AccountKey=YQ==;EndpointSuffix=core.windows.net",
        "https://account.table.core.windows.net/")]
    [InlineData(
        "AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:1/a;TableEndpoint=http://127.0.0.1:2/a;ContainerName=mine",
        "http://127.0.0.1:2/a")]
    public void The_tables_are_in_the_account_of_the_blobs(string blobs, string tables) =>
        Assert.Equal(new Uri(tables), ClusterTable.Connect(Configure(blobs)).Uri);

    [Theory]
    [InlineData("https://blobs.example.org", "does not say where the tables are")]
    [InlineData("AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:1/a", "has a BlobEndpoint and no TableEndpoint")]
    [InlineData("nonsense", "ConnectionStrings__blobs can't be understood")]
    [InlineData("", "ConnectionStrings__blobs is not set")]
    public void A_connection_that_does_not_lead_to_tables_is_refused(string blobs, string message)
    {
        var error = Assert.Throws<InputException>(() => ClusterTable.Connect(Configure(blobs)));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_provider_is_left_alone()
    {
        var configuration = new ConfigurationManager { ["Orleans:Clustering:ProviderType"] = "Static" };
        configuration.AddClusterTableDefaults();
        Assert.False(ClusterTable.IsChosen(configuration));
        Assert.Null(configuration["Orleans:Clustering:ServiceKey"]);
    }

    private static ConfigurationManager Configure(string blobs)
    {
        var configuration = new ConfigurationManager { ["ConnectionStrings:blobs"] = blobs };
        configuration.AddClusterTableDefaults();
        Assert.True(ClusterTable.IsChosen(configuration));
        return configuration;
    }
}
