using MedMerge.AppHost;
using MedMerge.Grains;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

// The whole system: the storage account, the nodes, the gateway. The account is Azurite here, an executable, without a container engine; where
// ConnectionStrings__blobs is set, and in what is published, a real one takes its place.
var builder = DistributedApplication.CreateBuilder(args);
builder.AddParameter("silos", "2", publishValueAsDefault: true);
var replicas = builder.Configuration.GetValue("Parameters:silos", 2);

var account = IsGiven(ClusterNames.Blobs) ? builder.AddConnectionString(ClusterNames.Blobs) : builder.AddAzurite(ClusterNames.Blobs);

var orleans = builder.AddOrleans("medmerge")
    .WithClusterId("medmerge")
    .WithServiceId("medmerge")
    .WithClustering(account.WithOrleansProviderType("AzureTableStorage"));

// Every replica needs an HTTP endpoint, or all of them take port 5000.
var silo = builder.AddProject<Projects.MedMerge_Silo>(ClusterNames.Silo, launchProfileName: null)
    .WithReference(orleans)
    .WithReference(account)
    .WaitFor(account)
    .WithEnvironment("Orleans__Metadata__device", "cpu")
    .WithHttpEndpoint(name: "http").WithHttpHealthCheck("/health/ready", endpointName: "http")
    .WithReplicas(replicas)
    .WithKillCommand();
if (builder.ExecutionContext.IsRunMode) silo.WithEnvironment("Orleans__Endpoints__AdvertisedIPAddress", "127.0.0.1"); // here the silos stay on loopback

var gateway = builder.AddProject<Projects.MedMerge_Gateway>(ClusterNames.Gateway, launchProfileName: null)
    .WithReference(orleans.AsClient())
    .WithReference(account)
    .WaitFor(silo)
    .WithHttpEndpoint(name: "http").WithHttpHealthCheck("/health/ready", endpointName: "http")
    .WithStartSweepCommand();
var http = gateway.GetEndpoint("http");
gateway.WithUrl($"{http}/api/v1/sweeps", "Sweeps").WithUrl($"{http}/openapi/v1.json", "API reference").WithUrl($"{http}/orleans/", "Orleans dashboard");

builder.Services.AddHostedService(services => ActivatorUtilities.CreateInstance<SweepResources>(services, http));
builder.Build().Run();

bool IsGiven(string name) => builder.ExecutionContext.IsPublishMode || !string.IsNullOrEmpty(builder.Configuration.GetConnectionString(name));
