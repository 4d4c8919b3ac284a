using MedMerge.Storage;
using Microsoft.Extensions.Configuration;
using Orleans.Connections.Security;
using Orleans.Hosting;

namespace MedMerge.Clustering;

/// <summary>
/// TLS with certificates on both sides between silos, and between gateways and silos. Without it whoever reaches an Orleans port
/// is a member of the cluster.
/// </summary>
public static class ClusterTls
{
    private const string FolderKey = "Tls:Folder";

    /// <summary>Sent along when connecting. Nobody checks it: what counts is the authority.</summary>
    private const string TargetHost = "medmerge";

    /// <summary>The certificate, where the configuration names a folder; otherwise null, and connections are in the clear.</summary>
    /// <exception cref="InputException">A file is missing or can't be understood.</exception>
    public static ClusterCertificate? Read(IConfiguration configuration, TimeProvider time) =>
        configuration[FolderKey] is { Length: > 0 } folder ? new ClusterCertificate(folder, time) : null;

    /// <summary>Encrypts what a silo sends and takes, and refuses who has no certificate.</summary>
    public static ISiloBuilder UseClusterTls(this ISiloBuilder silo, ClusterCertificate? certificate) =>
        certificate is null ? silo : silo.UseTls(options => Configure(options, certificate));

    /// <summary>Encrypts what a client of the cluster sends and takes.</summary>
    public static IClientBuilder UseClusterTls(this IClientBuilder client, ClusterCertificate? certificate) =>
        certificate is null ? client : client.UseTls(options => Configure(options, certificate));

    private static void Configure(TlsOptions options, ClusterCertificate certificate)
    {
        options.LocalServerCertificateSelector = (_, _) => certificate.Own;
        options.LocalClientCertificateSelector = (_, _, _, _, _) => certificate.Own;
        options.RemoteCertificateMode = RemoteCertificateMode.RequireCertificate;
        options.RemoteCertificateValidation = (remote, chain, _) => certificate.Accepts(remote, chain);
        options.OnAuthenticateAsClient = (_, authentication) => authentication.TargetHost = TargetHost;
    }
}
