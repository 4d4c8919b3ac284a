using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using MedMerge.Clustering;
using MedMerge.Grains;
using MedMerge.Testing;
using Microsoft.Extensions.Time.Testing;

namespace MedMerge.Cluster.Tests;

/// <summary>With a certificate folder set, silos and gateways let in only who has a certificate of the same authority.</summary>
public sealed class TlsTests(AzuriteServer azurite) : IDisposable
{
    private readonly TestAuthority _authority = new();
    private readonly TestAuthority _stranger = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Silos_and_gateway_with_certificates_of_one_authority_give_the_same_bytes()
    {
        var plain = await PlainRun.OutputsAsync(Specifications.Tiny.Yaml);
        await using var cluster = await StartAsync(2);
        var gateway = await cluster.StartGatewayAsync();
        var id = await GatewayCommand.SubmitAsync(gateway, Specifications.Tiny.Yaml);
        var status = await cluster.EndAsync(id, TimeSpan.FromMinutes(3));
        Assert.True(status.State == WorkState.Done && status.Done == status.Trials.Count, TestCluster.Describe(status));
        Assert.Equal(plain, await cluster.OutputsAsync());
    }

    [Fact]
    public async Task Who_has_no_certificate_of_the_authority_is_refused()
    {
        await using var cluster = await StartAsync(1);
        await Assert.ThrowsAnyAsync<Exception>(() => cluster.ConnectAsync(certificate: null));
        await Assert.ThrowsAnyAsync<Exception>(() => cluster.ConnectAsync(new ClusterCertificate(_stranger.Issue(), TimeProvider.System)));
        await AssertRefusesTlsWithoutCertificateAsync(cluster.Silos[0].Port);
        await AssertRefusesTlsWithoutCertificateAsync(cluster.Silos[0].GatewayPort);

        await cluster.ConnectAsync(new ClusterCertificate(_authority.Issue(), TimeProvider.System));
        Assert.Contains("Authentication failed", cluster.Silos[0].Log, StringComparison.Ordinal);
    }

    [Fact]
    public void A_renewed_certificate_is_read_within_a_minute_and_a_broken_one_changes_nothing()
    {
        var time = new FakeTimeProvider();
        var folder = _authority.Issue();
        var certificate = new ClusterCertificate(folder, time);
        var first = certificate.Own.Thumbprint;
        // Half a renewal: the key is not the new certificate's yet.
        File.Copy(Path.Combine(_authority.Issue(), "tls.crt"), Path.Combine(folder, "tls.crt"), overwrite: true);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(first, certificate.Own.Thumbprint);

        var renewed = _authority.Issue();
        foreach (var file in Directory.GetFiles(renewed)) File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        Assert.Equal(first, certificate.Own.Thumbprint);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(new ClusterCertificate(renewed, time).Own.Thumbprint, certificate.Own.Thumbprint);
    }

    public void Dispose()
    {
        _authority.Dispose();
        _stranger.Dispose();
    }

    private Task<TestCluster> StartAsync(int silos) =>
        new TestCluster(azurite, settings: new() { [ClusterCertificate.FolderVariable] = _authority.Issue() }).StartAsync(silos);

    /// <summary>The handshake fails, or with TLS 1.3 the first byte after it.</summary>
    private static async Task AssertRefusesTlsWithoutCertificateAsync(int port)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, Cancellation);
        await using var tls = new SslStream(client.GetStream(), leaveInnerStreamOpen: false, (_, _, _, _) => true);
        var error = await Record.ExceptionAsync(async () =>
        {
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "medmerge" }, Cancellation);
            await tls.ReadExactlyAsync(new byte[1], Cancellation);
        });
        Assert.True(error is AuthenticationException or IOException, $"{error}");
    }
}
