using MedMerge.Gateway.Connections;
using Orleans.Dashboard;

namespace MedMerge.Gateway;

/// <summary>Orleans' dashboard of silos and grains, at <see cref="Path"/>.</summary>
internal static class OrleansDashboard
{
    /// <summary>The dashboard's path.</summary>
    public const string Path = "/orleans";

    /// <summary>Adds the dashboard's services. It uses the gateway's own cluster connection, which may not be open yet.</summary>
    public static void Add(WebApplicationBuilder builder)
    {
        new Client(builder).AddDashboard(options => options.HideTrace = true); // a trace would show the gateway's log
        builder.Services.AddSingleton(services => services.GetRequiredService<ClusterConnection>().Grains);
    }

    /// <summary>Orleans adds the dashboard to client builders only, but the gateway's client runs in a separate host.</summary>
    private sealed class Client(WebApplicationBuilder builder) : IClientBuilder
    {
        public IServiceCollection Services => builder.Services;

        public IConfiguration Configuration => builder.Configuration;
    }
}
