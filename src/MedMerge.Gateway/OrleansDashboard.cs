using MedMerge.Gateway.Connections;
using Orleans.Dashboard;

namespace MedMerge.Gateway;

/// <summary>Orleans' own dashboard of silos and grains, under <c>/orleans</c>.</summary>
internal static class OrleansDashboard
{
    /// <summary>Where it is.</summary>
    public const string Path = "/orleans";

    /// <summary>Adds what it needs. It asks the cluster by the gateway's own connection, which may not be open yet.</summary>
    public static void Add(WebApplicationBuilder builder)
    {
        new Client(builder).AddDashboard(options => options.HideTrace = true); // it would show the gateway's log
        builder.Services.AddSingleton(services => services.GetRequiredService<ClusterConnection>().Grains);
    }

    /// <summary>Orleans offers the dashboard to builders of clients; the gateway's client lives in a host of its own.</summary>
    private sealed class Client(WebApplicationBuilder builder) : IClientBuilder
    {
        public IServiceCollection Services => builder.Services;

        public IConfiguration Configuration => builder.Configuration;
    }
}
