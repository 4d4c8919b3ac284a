using MedMerge.AppHost;
using MedMerge.Grains;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

// The whole system: the storage account, the nodes, the gateway. The account is Azurite here, an executable, without a container engine.
// Where ConnectionStrings__blobs is set, and in what is published, a real one takes its place.
var builder = DistributedApplication.CreateBuilder(args);
var repository = Path.GetFullPath("..", builder.AppHostDirectory);
var specifications = Path.Combine(repository, builder.Configuration["MedMerge:Specifications"] ?? "examples");
var data = Path.Combine(repository, builder.Configuration["MedMerge:Data"] ?? ".medmerge");

builder.AddParameter("silos", "2", publishValueAsDefault: true);
var replicas = builder.Configuration.GetValue("Parameters:silos", 2);

var account = IsExternal(ClusterNames.Blobs)
    ? builder.AddConnectionString(ClusterNames.Blobs)
    : builder.AddAzurite(ClusterNames.Blobs, Path.Combine(data, "azurite"));

var orleans = builder.AddOrleans("medmerge")
    .WithClusterId("medmerge")
    .WithServiceId("medmerge")
    .WithClustering(account.WithOrleansProviderType("AzureTableStorage"));

// Without an HTTP endpoint of its own every replica would listen on port 5000.
var silo = builder.AddProject<Projects.MedMerge_Silo>(ClusterNames.Silo, launchProfileName: null)
    .WithReference(orleans)
    .WithReference(account)
    .WaitFor(account)
    .WithEnvironment("Orleans__Metadata__device", "cpu")
    .WithHttpEndpoint(name: "http")
    .WithHttpHealthCheck("/health/ready", endpointName: "http")
    .WithReplicas(replicas)
    .WithKillCommand();
if (builder.ExecutionContext.IsRunMode) silo.WithEnvironment("Orleans__Endpoints__AdvertisedIPAddress", "127.0.0.1");

var gateway = builder.AddProject<Projects.MedMerge_Gateway>(ClusterNames.Gateway, launchProfileName: null)
    .WithReference(orleans.AsClient())
    .WithReference(account)
    .WaitFor(silo)
    .WithHttpEndpoint(name: "http")
    .WithHttpHealthCheck("/health/ready", endpointName: "http")
    .WithStartSweepCommand(specifications);
var http = gateway.GetEndpoint("http");
gateway
    .WithEnvironment("Dashboard__Url", FindDashboard())
    .WithUrl($"{http}/", "Sweeps")
    .WithUrl($"{http}/openapi/v1.json", "API reference")
    .WithUrl($"{http}/orleans/", "Orleans dashboard");

builder.Services.AddHostedService(services => ActivatorUtilities.CreateInstance<SweepResourceService>(services, http));
await builder.Build().RunAsync();

// Pages link trials to their traces.
string FindDashboard() => (builder.Configuration["ASPNETCORE_URLS"] ?? "").Split(';')[0];

bool IsExternal(string name) =>
    builder.ExecutionContext.IsPublishMode || !string.IsNullOrEmpty(builder.Configuration.GetConnectionString(name));
